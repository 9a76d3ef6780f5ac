# trit convert reads pytorch_model.bin, as torch.save writes it, and makes the same file as from safetensors.

$ trit convert checkpoint -o safe.gguf -q
> trit convert bin/checkpoint -o bin.gguf -q && cmp safe.gguf bin.gguf && echo one file: the same
> trit convert shards/checkpoint -o shards.gguf -q && cmp safe.gguf shards.gguf && echo two shards: the same
one file: the same
two shards: the same

# A file of another name is taken if it is the only one; a trainer's own does not count.

$ mkdir -p own/checkpoint && cp bin/checkpoint/* own/checkpoint && cd own/checkpoint
> mv pytorch_model.bin mine.bin && cp config.json training_args.bin && cd ../..
> trit convert own/checkpoint -o own.gguf -q && cmp safe.gguf own.gguf && echo the same
> cp own/checkpoint/mine.bin own/checkpoint/yours.bin && trit convert own/checkpoint -o no.gguf
the same
! trit: own/checkpoint has 2 files *.bin, such as mine.bin and yours.bin; one must be pytorch_model.bin, or pytorch_model.bin.index.json must list the tensors of each
[3]

# Nothing in a file is run. What is not a plain tensor is refused by its name.

$ try() { cp bins/$1.bin own/checkpoint/pytorch_model.bin; trit convert own/checkpoint -o no.gguf; }
> for f in system eval eval4 instance object number extra damaged; do try $f; done
> ls bad no.gguf 2>&1 | grep -c 'No such file'
2
! trit: own/checkpoint/pytorch_model.bin: its pickle asks for 'posix.system', which is not of a plain tensor; refused, and nothing was run. Save the tensors alone, as model.safetensors or by torch.save(model.state_dict(), …)
! trit: own/checkpoint/pytorch_model.bin: its pickle asks for 'builtins.eval', which is not of a plain tensor; refused, and nothing was run. Save the tensors alone, as model.safetensors or by torch.save(model.state_dict(), …)
! trit: own/checkpoint/pytorch_model.bin: its pickle asks for 'builtins.eval', which is not of a plain tensor; refused, and nothing was run. Save the tensors alone, as model.safetensors or by torch.save(model.state_dict(), …)
! trit: own/checkpoint/pytorch_model.bin: its pickle asks for 'subprocess.Popen', which is not of a plain tensor; refused, and nothing was run. Save the tensors alone, as model.safetensors or by torch.save(model.state_dict(), …)
! trit: own/checkpoint/pytorch_model.bin: its pickle has opcode 0x81 at byte 28, which is not of plain tensors; refused, and nothing was run
! trit: own/checkpoint/pytorch_model.bin does not hold a dict of tensors
! trit: own/checkpoint/pytorch_model.bin: 'step' is not a tensor; save the tensors alone, by torch.save(model.state_dict(), …)
! trit: own/checkpoint/pytorch_model.bin: its pickle is damaged: a mark is missing (byte 1)

$ cp bins/transposed.bin own/checkpoint/pytorch_model.bin; trit convert own/checkpoint -o no.gguf
! trit: own/checkpoint/pytorch_model.bin: tensor 'model.norm.weight' is transposed, or has gaps or repeats (its strides are not those of shape [2, 3]); save it with .contiguous()
[4]

$ cp bins/compressed.bin own/checkpoint/pytorch_model.bin; trit convert own/checkpoint -o no.gguf
! trit: own/checkpoint/pytorch_model.bin: entry 'archive/data.pkl' is compressed (deflate, method 8); torch.save stores tensors as they are (of TorchScript, save the model's state_dict instead)
[4]

$ cp bins/big.bin own/checkpoint/pytorch_model.bin; trit convert own/checkpoint -o no.gguf
! trit: own/checkpoint/pytorch_model.bin: its numbers have byte order 'big'; only 'little' is supported
[4]

# The format from before torch 1.6, a file that is cut off, and what is no archive at all.

$ printf '\200\002\212\012l\374\234F\371 j\250P\031.' >own/checkpoint/pytorch_model.bin
> trit convert own/checkpoint -o no.gguf
! trit: own/checkpoint/pytorch_model.bin is in the format of torch before 1.6, a bare pickle; save it again: python3 -c "import sys, torch; f = sys.argv[1]; torch.save(torch.load(f, map_location='cpu', weights_only=True), f)" FILE
[4]

$ head -c 100000 bin/checkpoint/pytorch_model.bin >own/checkpoint/pytorch_model.bin
> trit convert own/checkpoint -o no.gguf
! trit: own/checkpoint/pytorch_model.bin is not a whole zip archive, as torch.save writes it: it has no end record; perhaps the file is cut off
[3]

$ printf '<!DOCTYPE html>' >own/checkpoint/pytorch_model.bin; trit convert own/checkpoint -o no.gguf
! trit: own/checkpoint/pytorch_model.bin is not a zip archive, as torch.save writes it: it begins with '<!DOCTYPE html>'
[3]

# Shards and their index must agree.

$ rm shards/checkpoint/pytorch_model-00002-of-00002.bin; trit convert shards/checkpoint -o no.gguf
! trit: shards/checkpoint/pytorch_model-00002-of-00002.bin: No such file or directory
[3]

$ cp -r bin/checkpoint gone && rm gone/pytorch_model.bin && trit convert gone -o no.gguf
! trit: gone has no weights: neither model.safetensors nor pytorch_model.bin, nor the index of either
[3]

$ cp bin/checkpoint/pytorch_model.bin gone/consolidated.00.pth && trit convert gone -o no.gguf
! trit: gone has only consolidated.00.pth; supported are model.safetensors and pytorch_model.bin, or their shards
[4]
