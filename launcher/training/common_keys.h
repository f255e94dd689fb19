// The keys that both steps have. Every key that cannot change the trained weights is one of them
// and marked operation(): where files lie and how many cores work, how often something is saved,
// checked, logged or evaluated, for how long one waits. The keys of one step alone, in
// train_options.cpp, all decide what is trained.
#pragma once

#include "launcher/config/schema.h"
#include "launcher/training/train_options.h"

namespace stc::launcher {

// By section, in the order in which they show in `--keys` and in config.toml; each step has its own
// sections in between.
void bind_run_and_data(ConfigSchema& schema, TrainOptions& o);  ///< [run], [data], [loader]
void bind_train(ConfigSchema& schema, TrainOptions& o);         ///< [train]
void bind_optimizer(ConfigSchema& schema, TrainOptions& o);     ///< [optimizer]
/// [checkpoint], [dist], [probe], [log], [metrics]
void bind_surroundings(ConfigSchema& schema, TrainOptions& o);

}  // namespace stc::launcher
