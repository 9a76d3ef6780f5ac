# What people give as a model that is none: what it is, and what helps.

$ for bytes in 'version https://git-lfs.github.com/spec/v1\n' '\n<!DOCTYPE html>' '<?xml' '{"a": 1}' \
>     '\037\213\010' 'BZh' '(\265/\375' 'PK\003\004' '\200\002' 'lmgg' 'alggx' \
>     '\002\0\0\0\0\0\0\0{}' 'tritsess' '\223NUMPY' '\177ELF' 'abc'
> do printf "$bytes" >x.bin; trit run -m x.bin -p x; done
! trit: x.bin is not a GGUF file; it is a pointer of Git LFS, not the file: git lfs pull downloads it
! trit: x.bin is not a GGUF file; it is a web page (HTML): download the file itself
! trit: x.bin is not a GGUF file; it is XML, perhaps a server's error: download it again
! trit: x.bin is not a GGUF file; it is JSON
! trit: x.bin is not a GGUF file; it is compressed by gzip: unpack it
! trit: x.bin is not a GGUF file; it is compressed by bzip2: unpack it
! trit: x.bin is not a GGUF file; it is compressed by zstd: unpack it
! trit: x.bin is not a GGUF file; it is a zip archive: unpack it, or if it is a checkpoint of PyTorch, use trit convert on its folder
! trit: x.bin is not a GGUF file; it is a pickle, perhaps a checkpoint of PyTorch: use trit convert on its folder
! trit: x.bin is not a GGUF file; it is a GGML file of 2023, an older format: get the model as GGUF
! trit: x.bin is not a GGUF file; it is an adapter in the format GGLA: merge it into its model first
! trit: x.bin is not a GGUF file; it is a safetensors file: trit convert makes a GGUF of a checkpoint folder
! trit: x.bin is not a GGUF file; it is a saved session: give it to --session
! trit: x.bin is not a GGUF file; it is a NumPy array
! trit: x.bin is not a GGUF file; it is a program
! trit: x.bin is not a GGUF file
[3]

$ mkdir one two ckpt none cache adapter; mkdir cache/snapshots; cp good.gguf one/a.gguf
> cp good.gguf two/b.gguf; cp good.gguf two/a.gguf; touch ckpt/config.json adapter/adapter_config.json
> for f in one two/ ckpt none cache adapter; do trit run -m $f -p x; done
! trit: one is not a regular file (it is a folder with one model: use -m one/a.gguf)
! trit: two/ is not a regular file (it is a folder with 2 models: use -m two/a.gguf, or another one)
! trit: ckpt is not a regular file (it is a checkpoint folder: trit convert ckpt -o NAME.gguf makes a model of it)
! trit: none is not a regular file (it is a folder, and holds no model)
! trit: cache is not a regular file (it is a folder of a download cache: the model is in a folder of cache/snapshots)
! trit: adapter is not a regular file (it is an adapter (LoRA): merge it into its model first (merge_and_unload() of the Python package peft), then use trit convert)
[3]

$ trit run -m owner/name -p x
! trit: owner/name: No such file or directory (if it is the name of a model on a hub, download its GGUF file (or its checkpoint, for trit convert), and give the file's name)
[3]

$ trit info -m https://example.org/a.gguf
! trit: https://example.org/a.gguf: No such file or directory (it is an address: download the file, and give its name)
[3]

$ trit run -m ./no/such -p x
! trit: ./no/such: No such file or directory
[3]

# What people give to convert.

$ mkdir -p hub/snapshots/abc hub/refs; cp checkpoint/* hub/snapshots/abc; printf 'abc' >hub/refs/main
> trit convert hub -o new.gguf 2>&1 | head -1; rm hub/refs/main; trit convert hub/ -o new.gguf 2>&1 | head -1
trit: hub is a download cache; its checkpoint is hub/snapshots/abc
trit: hub/ is a download cache; its checkpoint is hub//snapshots/abc

$ mkdir hub/snapshots/def; trit convert hub -o new.gguf
! trit: hub has no config.json; it is a folder of a download cache: the model is in a folder of hub/snapshots
[3]

$ for f in one two adapter none cache; do trit convert $f -o new.gguf; done
! trit: one has no config.json; it is a folder with one model: use -m one/a.gguf
! trit: two has no config.json; it is a folder with 2 models: use -m two/a.gguf, or another one
! trit: adapter has no config.json; it is an adapter (LoRA): merge it into its model first (merge_and_unload() of the Python package peft), then use trit convert
! trit: none has no config.json; it is a folder, and holds no model
! trit: cache has no config.json; it is a folder of a download cache: the model is in a folder of cache/snapshots
[3]
