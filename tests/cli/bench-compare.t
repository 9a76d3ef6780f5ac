# trit bench --compare: each row beside the one of a result before.

$ trit bench -m good.gguf -p 8 -n 4 -t 1,2 -r 1 -q -o json >old.json
> trit bench -m good.gguf -p 8 -n 4 -t 1 -r 1 -q -o jsonl >old.jsonl
> grep -c avg_ts old.json old.jsonl
old.json:4
old.jsonl:2

$ masked() { sed -E 's/ +[0-9.]+x/ Rx/g; s/ *[0-9.]+ ± +[0-9.]+/ X ± X/; s/ +[0-9]+ % of .*/ P % of L/'; }
> trit bench -m good.gguf -p 8,16 -n 4 -t 1 -r 1 -q --compare old.json | tail -n 4 | masked
> trit bench -m good.gguf -p 8,16 -n 4 -t 3,1 -r 1 -q --compare old.jsonl -o md |
>     cut -d '|' -f 6- | masked
threads  test                      tokens/s   new/old   of the limit
      1  pp8 X ± X Rx P % of L
      1  pp16 X ± X         - P % of L
      1  tg4 X ± X Rx P % of L
 threads | test | t/s | new/old | of the limit |
 ---: | ---: | ---: | ---: | ---: |
 3 | pp8 | X ± X | - | P % of L
 3 | pp16 | X ± X | - | P % of L
 3 | tg4 | X ± X | - | P % of L
 1 | pp8 | X ± X | Rx | P % of L
 1 | pp16 | X ± X | - | P % of L
 1 | tg4 | X ± X | Rx | P % of L

# In csv and JSON two fields come behind all others; JSON has null where there is nothing to compare.

$ trit bench -m good.gguf -p 8,16 -n 0 -t 1 -r 1 -q --compare old.json -o csv | cut -d , -f 20,29- |
>     sed -E 's/[0-9][0-9.e+-]*/N/g'
trit_version,n_sequences,old_ts,ratio
"N",N,N,N
"N",N,,

$ trit bench -m good.gguf -p 8,16 -n 0 -t 1 -r 1 -q --compare old.jsonl -o jsonl |
>     sed -E 's/.*("trit_version")/\1/; s/"walks".*("old_ts")/\1/; s/:[0-9.e+-]+/:N/g; s/"0[0-9.]*"/V/'
"trit_version":V,"old_ts":N,"ratio":N}
"trit_version":V,"old_ts":null,"ratio":null}

$ trit bench -m good.gguf -p 8 -n 4 -t 1 -r 1 -q --compare old.json --json |
>     tr -d '\n' | sed 's/{[^}]*}/O/g'; echo
[O,O]

# The ratio is new/old. What was compared can be compared with, and the last of several rows counts.

$ row() { echo '{"model_type":"bitnet-b1.58 1.1M I2_S","n_threads":1,"test":"pp8","avg_ts":'$1'}'; }
> { row 1; row 1e-300; } >slow.jsonl
> trit bench -m good.gguf -p 8 -n 0 -t 1 -r 1 -q --compare slow.jsonl -o jsonl >new.jsonl
> sed -E 's/.*"old_ts":([^,]*),"ratio":[0-9.]*e\+?30[0-9].$/\1/' new.jsonl
> trit bench -m good.gguf -p 8 -n 0 -t 1 -r 1 -q --compare new.jsonl -o jsonl | grep -c '"ratio":[0-9]'
1e-300
1

# Rows of other models are passed over where there are any of this one; else they are used, and
# stderr says so.

$ sed 's/I2_S/TQ1_0/' old.json >other.json
> trit bench -m good.gguf -p 8 -n 0 -t 1 -r 1 --compare other.json -o csv 2>&1 >/dev/null | head -n 1
> trit bench -m good.gguf -p 8 -n 0 -t 1 -r 1 --compare other.json -o csv -q | grep -c '[0-9]$'
trit: other.json was measured with another model: bitnet-b1.58 1.1M TQ1_0, not bitnet-b1.58 1.1M I2_S
1

$ { sed 's/"test":"/&x/' old.jsonl; sed 's/I2_S/TQ1_0/' old.jsonl; } >both.jsonl
> trit bench -m good.gguf -p 8 -n 0 -t 1 -r 1 --compare both.jsonl -o csv -q | cut -d , -f 29- | tail -n 1
1,,

# A file that is something else is an error before anything is measured.

$ trit bench -m good.gguf --compare missing.json
! trit: missing.json: No such file or directory
[3]

$ head -c 60 old.json >cut.json; trit bench -m good.gguf --compare cut.json
! trit: cut.json: line 2, column 59: found the end of the text, expected '"' at the end of a string
[3]

$ trit bench -m good.gguf --compare good.gguf
! trit: good.gguf: line 1, column 1: found 'GGUF', expected a value
[3]

$ trit bench -m good.gguf --compare empty.gguf
! trit: empty.gguf has no rows from trit bench
[3]

$ echo '[]' >none.json; trit bench -m good.gguf --compare none.json
! trit: none.json has no rows from trit bench
[3]

$ echo '[{"test":"pp8","n_threads":1,"avg_ts":5}]' >foreign.json
> trit bench -m good.gguf --compare foreign.json
! trit: foreign.json is not a trit bench result: row 1 has no valid 'model_type'
[3]

$ { row() { echo '{"model_type":"m","n_threads":'$1',"test":"pp8","avg_ts":'$2'}'; }
>   row 1 2; row 1 0; } >zero.json; trit bench -m good.gguf --compare zero.json
! trit: zero.json is not a trit bench result: row 2 has no valid 'avg_ts'
[3]

$ printf '{"model_type":"m","n_threads":1.5,"test":"pp8","avg_ts":1}' >half.json
> trit bench -m good.gguf --compare half.json
! trit: half.json is not a trit bench result: row 1 has no valid 'n_threads'
[3]

$ printf '[1, "\033[31m"]' >evil.json; trit bench -m good.gguf --compare evil.json
! trit: evil.json: line 1, column 6: found byte 0x1b, expected an escape for a control character
[3]

$ printf '{"model_type":"\\u001b[31m","n_threads":1,"test":"x","avg_ts":1}' >evil.json
> trit bench -m good.gguf -p 8 -n 0 -r 1 -o csv --compare evil.json 2>&1 >/dev/null | head -n 1
trit: evil.json was measured with another model: \x1b[31m, not bitnet-b1.58 1.1M I2_S

$ trit bench -m good.gguf --compare
! trit: --compare needs a value: OLD.json
[2]

# On a terminal a bar says how much of the limit is reached, and stderr what is being measured.
# requires: script -qec true /dev/null

$ terminal() { script -qec "$1" /dev/null </dev/null | tr -d '\r' | tail -n 1; }
> bench='trit bench -m good.gguf -p 8 -n 0 -t 1 -r 1'
> bars() { sed -E 's/[0-9.]+ ± +[0-9.]+/X/; s/X   ([▏▎▍▌▋▊▉█]+ *| {9,})/X BAR /; s/[0-9]+ % of .*/P % of L/; s/ +/ /g'; }
> TERM=xterm terminal "$bench -q" | bars
> TERM=dumb terminal "$bench -q" | bars
> NO_COLOR=1 TERM=xterm terminal "$bench -q" | bars
 1 pp8 X BAR P % of L
 1 pp8 X P % of L
 1 pp8 X P % of L

$ bench='trit bench -m good.gguf -p 8 -n 0 -t 1 -r 2 -o csv'
> TERM=xterm script -qec "$bench >/dev/null" /dev/null </dev/null | tr '\r\033' '\n^' | sed '/MB/d' | grep .
> TERM=xterm script -qec "$bench -q >/dev/null" /dev/null </dev/null
pp8, 1 thread: 1 of 2
^[Kpp8, 1 thread: 1 of 2
^[Kpp8, 1 thread: 2 of 2
^[K
