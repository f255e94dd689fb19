// Which of ATen's operators a step calls, so that what has no deterministic form on a GPU is seen
// on any machine.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <map>
#include <set>
#include <string>

#include "dist/collective_log.h"
#include "launcher/training/random_loader.h"
#include "launcher/training/training_step.h"
#include "tests/support/operator_calls.h"

namespace stc::launcher {
namespace {

// Those whose CUDA kernels call alertNotDeterministic() in LibTorch 2.13, by the names of their
// operators: read off the calls in libtorch_cuda.so.
const std::set<std::string> kUnrepeatable = {"aten::_adaptive_avg_pool2d_backward",
                                             "aten::_adaptive_avg_pool3d_backward",
                                             "aten::_ctc_loss_backward",
                                             "aten::_embedding_bag_backward",
                                             "aten::_upsample_bicubic2d_aa_backward",
                                             "aten::_upsample_bilinear2d_aa_backward",
                                             "aten::adaptive_max_pool2d_backward",
                                             "aten::avg_pool3d_backward",
                                             "aten::bincount",
                                             "aten::cudnn_grid_sampler_backward",
                                             "aten::fractional_max_pool2d_backward",
                                             "aten::fractional_max_pool3d_backward",
                                             "aten::grid_sampler_2d_backward",
                                             "aten::grid_sampler_3d_backward",
                                             "aten::histc",
                                             "aten::index_reduce_",
                                             "aten::max_pool3d_with_indices_backward",
                                             "aten::max_unpool2d",
                                             "aten::max_unpool3d",
                                             "aten::median",
                                             "aten::nll_loss2d_forward",
                                             "aten::reflection_pad1d_backward",
                                             "aten::reflection_pad3d_backward",
                                             "aten::replication_pad1d_backward",
                                             "aten::replication_pad2d_backward",
                                             "aten::replication_pad3d_backward",
                                             "aten::scatter_",
                                             "aten::scatter_add_",
                                             "aten::scatter_reduce_",
                                             "aten::upsample_bicubic2d_backward",
                                             "aten::upsample_bilinear2d_backward",
                                             "aten::upsample_linear1d_backward",
                                             "aten::upsample_trilinear3d_backward"};

using Calls = std::map<std::string, std::int64_t>;

std::set<std::string> unrepeatable(const Calls& operators) {
  std::set<std::string> found;
  for (const auto& [name, count] : operators)
    if (kUnrepeatable.contains(name)) found.insert(name);
  return found;
}

// One whole step, update included.
void run_step(TrainingMethod& method, const TrainOptions& options, dist::Communicator& world) {
  method.start(0);
  auto step = step_options(options);
  step.on_phase = [](activity::Phase) {};
  TrainingStep(method, step, world, world).run(0, 1e-4);
}

TEST(StepOperators, OfStep1AllHaveADeterministicForm) {
  PretrainOptions options;
  options.batch_size = 4;
  options.images.size = 32;
  options.spatial.queue_size = 16;
  dist::run_ranks(1, [&](dist::Communicator& world) {
    auto images = std::make_unique<RandomLoader<data::ImageBatch>>(4, 32);
    const auto method = make_method(options, world, at::kCPU, std::move(images));
    const auto operators = test::calls_of([&] { run_step(*method, options, world); }).all;
    EXPECT_TRUE(operators.contains("aten::max_pool2d_with_indices_backward"));
    EXPECT_TRUE(operators.contains("aten::_fused_sgd_"));
    EXPECT_THAT(unrepeatable(operators), testing::IsEmpty());
  });
}

TEST(StepOperators, OfStep2AllHaveADeterministicForm) {
  for (const auto* preset : {"paper_code", "fixed"}) {
    VideoTrainOptions options;
    options.batch_size = 2;
    options.clips.size = 64;
    options.preset = preset;
    dist::run_ranks(1, [&](dist::Communicator& world) {
      auto clips = std::make_unique<RandomLoader<data::ClipBatch>>(2, 64);
      const auto teacher = models::ResNet(models::standard_options(18), 0).state();
      const auto method = make_method(options, world, at::kCPU, std::move(clips), teacher);
      const auto operators = test::calls_of([&] { run_step(*method, options, world); }).all;
      EXPECT_TRUE(operators.contains("aten::upsample_bilinear2d"));
      EXPECT_TRUE(operators.contains("aten::_fused_adam_"));
      EXPECT_THAT(unrepeatable(operators), testing::IsEmpty());
    });
  }
}

// Of what the test above rests on: a gradient's operators are seen, too.
TEST(StepOperators, TheGradientOfAtensUpsamplingIsSeenAndHasNone) {
  const auto operators = test::calls_of([] {
                           const auto maps = at::ones({1, 1, 4, 4}).requires_grad_();
                           at::upsample_bilinear2d(maps, {8, 8}, false).sum().backward();
                         }).all;
  EXPECT_THAT(unrepeatable(operators), testing::ElementsAre("aten::upsample_bilinear2d_backward"));
}

}  // namespace
}  // namespace stc::launcher
