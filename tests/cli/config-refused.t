# Keys of config.json that change the function and are not implemented are refused by name.

$ for change in '"logit_scale": 0.5' '"num_local_experts": 8' \
>     '"rope_parameters": {"rope_theta": 500000, "partial_rotary_factor": 0.5}' \
>     '"rope_parameters": {"rope_theta": 10000}' '"rope_parameters": {"new": 1}' \
>     '"rope_parameters": {"a": {"rope_theta": 1e4}, "b": {"rope_theta": 5e5}}'; do
>     rm -rf c; cp -r checkpoint c; sed "2s/^/$change,/" checkpoint/config.json >c/config.json
>     trit convert c -o c.gguf
> done
! trit: c/config.json: 'logit_scale' is 0.5; trit computes only with 1
! trit: c/config.json: 'num_local_experts' is 8; trit computes only with 0
! trit: c/config.json: 'rope_parameters.partial_rotary_factor' is 0.5; trit computes only with 1
! trit: c/config.json: 'rope_theta' contradicts rope_parameters.rope_theta; keep one
! trit: c/config.json: 'rope_parameters.new' is not known
! trit: c/config.json: 'rope_parameters' differs between types of layers
[4]

# What is at its neutral value, or said twice, is not.

$ rm -rf c; cp -r checkpoint c
$ sed '2s/^/"logit_scale": 1, "rope_parameters": {"rope_theta": 500000, "attention_factor": 1},/' \
>     checkpoint/config.json >c/config.json; trit convert c -o c.gguf -q

