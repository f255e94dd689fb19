#include "launcher/training/operation_keys.h"

#include <limits>

namespace stc::launcher {
namespace {

constexpr auto kMany = std::numeric_limits<std::int64_t>::max();

void bind_probe(ConfigSchema* schema, ValidationOptions* o) {
  schema->text("probe.data",
               &o->data,
               {},
               Effect::kOperation,
               "folder of DAVIS's shape that is evaluated while training; empty: none");
  schema->text("probe.split",
               &o->split,
               {},
               Effect::kOperation,
               "file that lists its clips; empty: the data set's own");
  schema->integer("probe.every_steps",
                  &o->every_steps,
                  1,
                  kMany,
                  Effect::kOperation,
                  "steps between evaluations; the last step has one, too");
  schema->integer(
      "probe.clips", &o->clips, 0, kMany, Effect::kOperation, "the first so many; 0: all");
  schema->integer("probe.short_side",
                  &o->short_side,
                  16,
                  4096,
                  Effect::kOperation,
                  "pixels of the network's input");
}

void bind_log(ConfigSchema* schema, log::FileOptions* o) {
  schema->boolean("log.json", &o->json, Effect::kOperation, "lines of log/rank-N.log are objects");
  schema->integer("log.rotate_bytes",
                  &o->rotate_bytes,
                  4096,
                  kMany,
                  Effect::kOperation,
                  "a log that is longer gets a number, and a new one begins");
  schema->integer(
      "log.keep", &o->keep, 1, 1000, Effect::kOperation, "logs with a number that are kept");
}

void bind_metrics(ConfigSchema* schema, TrainOptions* o) {
  schema->integer_or_word("metrics.port",
                          &o->metrics_port,
                          0,
                          65535,
                          "off",
                          -1,
                          Effect::kOperation,
                          "Prometheus; 0: any free one");
  schema->text("metrics.address",
               &o->metrics_address,
               {},
               Effect::kOperation,
               "to listen on; 0.0.0.0: every interface of the node");
  schema->text("metrics.user",
               &o->metrics_user,
               {},
               Effect::kOperation,
               "whom the metrics are served to; empty: anyone who reaches the port");
  schema->text("metrics.password_file",
               &o->metrics_password_file,
               {},
               Effect::kOperation,
               "its first line is that user's password");
}

}  // namespace

void bind_operation(ConfigSchema* schema, TrainOptions* o) {
  bind_probe(schema, &o->validation);
  bind_log(schema, &o->log);
  bind_metrics(schema, o);
}

}  // namespace stc::launcher
