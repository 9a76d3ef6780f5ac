# trit bench: a row per test, in several forms.

$ trit bench -m good.gguf -p 8 -n 4 -d 0,16 -t 1,2 -r 2 -o csv -q | cut -d, -f6-10
n_threads,n_prompt,n_gen,n_depth,test
1,8,0,0,"pp8"
1,0,4,0,"tg4"
1,8,0,16,"pp8 @ d16"
1,0,4,16,"tg4 @ d16"
2,8,0,0,"pp8"
2,0,4,0,"tg4"
2,8,0,16,"pp8 @ d16"
2,0,4,16,"tg4 @ d16"

$ trit bench -m good.gguf -p 8 -n 0 -r 2 -o csv -q | head -n 1
model_filename,model_type,model_size,model_n_params,isa,n_threads,n_prompt,n_gen,n_depth,test,avg_ts,stddev_ts,bytes_per_token,gbps,read_gbps,gmacs,peak_gmacs,efficiency,peak_gfmas,trit_version,walks,cpu,cpu_model,l1d_bytes,l2_bytes,l3_bytes,n_cores,cpu_limit,n_sequences

# Generation is set beside reading, a prompt beside multiplying; all figures are there.

$ numbers() { sed 's/:[0-9][0-9.e+-]*/:N/g; s/\[[0-9.e+,-]*\]/[N]/; s/"isa":"[a-z0-9]*"/"isa":I/; s/"0[0-9.]*"/V/; s/"walks":.*/"walks"…/'; }
> trit bench -m good.gguf -p 8 -n 4 -r 2 -t 1 -o jsonl -q | numbers
{"model_filename":"good.gguf","model_type":"bitnet-b1.58 1.1M I2_S","model_size":N,"model_n_params":N,"isa":I,"n_threads":N,"n_prompt":N,"n_gen":N,"n_depth":N,"test":"pp8","avg_ts":N,"stddev_ts":N,"samples_ts":[N],"bytes_per_token":N,"gbps":null,"read_gbps":null,"gmacs":N,"peak_gmacs":N,"efficiency":N,"peak_gfmas":N,"trit_version":V,"walks"…
{"model_filename":"good.gguf","model_type":"bitnet-b1.58 1.1M I2_S","model_size":N,"model_n_params":N,"isa":I,"n_threads":N,"n_prompt":N,"n_gen":N,"n_depth":N,"test":"tg4","avg_ts":N,"stddev_ts":N,"samples_ts":[N],"bytes_per_token":N,"gbps":N,"read_gbps":N,"gmacs":null,"peak_gmacs":null,"efficiency":N,"peak_gfmas":null,"trit_version":V,"walks"…

$ trit bench -m good.gguf -p 8 -n 4 -r 1 -o json -q | tr -d '\n' | sed 's/{[^}]*}/O/g'; echo
> trit bench -m good.gguf -p 8 -n 4 -r 1 --json -q | tr -d '\n' | sed 's/{[^}]*}/O/g'; echo
[O,O]
[O,O]

$ trit bench -m good.gguf -p 8 -n 4 -r 1 -t 1 -o md -q | cut -d '|' -f 2,6,7 | head -n 3
 model | threads | test 
 --- | ---: | ---: 
 bitnet-b1.58 1.1M I2_S | 1 | pp8 

$ trit bench -m good.gguf -p 8 -n 4 -r 1 -t 1 -q | tail -n 2 | cut -c 1-24
      1  pp8            
      1  tg4            

# What it takes is said before it is taken; -q says nothing.

$ trit bench -m good.gguf -p 0 -n 2 -r 1 -t 1 -o csv 2>&1 >/dev/null | sed 's/[0-9]* MB/X MB/g'
context of 2: X MB, repacked weights: X MB, file: X MB

$ trit bench -m good.gguf -p 0 -n 2 -d 300 -r 1 -t 1 -o csv 2>&1 >/dev/null | cut -d : -f 1
context of 302 (more than the model was trained for)

$ trit bench -m good.gguf -p 0 -n 2 -r 1 -q -o csv 2>&1 >/dev/null

# Bad arguments.

$ trit bench -m good.gguf -p 8,x
! trit: -p needs numbers such as 128,512, not 'x'
[2]

$ trit bench -m good.gguf -p 8,
! trit: -p needs numbers such as 128,512, not ''
[2]

$ trit bench -m good.gguf -t 0
! trit: -t must be between 1 and 512, not 0
[2]

$ trit bench -m good.gguf -n 99999999999
! trit: -n must be between 0 and 1048576, not 99999999999
[2]

$ trit bench -m good.gguf -p 0 -n 0
! trit: nothing to measure: -p and -n are both 0
[2]

$ trit bench -m good.gguf -p 8 -n 4 -d 16 -c 23
! trit: -c 23 is too small; the largest test needs 24 tokens
[2]

$ trit bench -m good.gguf -o xml
! trit: --output must be md, csv, json or jsonl, not 'xml'
[2]

$ trit bench -m missing.gguf
! trit: missing.gguf: No such file or directory
[3]

$ trit bench -m good.gguf --isa sse9
! trit: unknown instruction set 'sse9'; it must be one of: scalar avx2 avxvnni avx512 amx neon dotprod i8mm
[2]

$ trit bench
! trit: no model given; use -m FILE, or set TRIT_MODEL
[2]
