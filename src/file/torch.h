/* torch.h - a file of torch.save, such as pytorch_model.bin: a zip archive with a pickle that
 * describes tensors, data.pkl, and their numbers. The pickle is read, never run; see pickle.h. */
#ifndef TRIT_FILE_TORCH_H
#define TRIT_FILE_TORCH_H

#include "weights.h"

/* Append the tensors of files[file], whose bytes are open: those of a state_dict, or of the one in
 * a dict under "state_dict", "model_state_dict", "model" or "module".
 * @return TRIT_OK; TRIT_E_FILE: the file is damaged or ends early, or a tensor is outside its
 *         storage; TRIT_E_UNSUPPORTED: it has more than tensors, or a tensor is transposed or
 *         strided, or its type is unknown; the format of torch before 1.6; big-endian numbers;
 *         TRIT_E_MEMORY */
trit_status trit_torch_read(struct trit_weights *s, size_t file, struct trit_error *err);

#endif
