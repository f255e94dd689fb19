// Keys of things around a training, which change nothing about it.
#pragma once

#include "launcher/config_schema.h"
#include "launcher/train_options.h"

namespace stc::launcher {

void bind_operation(ConfigSchema* schema, TrainOptions* o);  ///< [probe], [log] and [metrics]

}  // namespace stc::launcher
