// Keys of things around a training, which change nothing about it.
#pragma once

#include "launcher/config/schema.h"
#include "launcher/training/train_options.h"

namespace stc::launcher {

void bind_operation(ConfigSchema* schema, TrainOptions* o);  ///< [probe], [log] and [metrics]

}  // namespace stc::launcher
