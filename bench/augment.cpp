// Our side of bench/augment.sh: MoCo v2's two views of each JPEG of a folder, from its bytes to
// normalised float32. Started by bench/augment.py:
//   stc_bench_augment FOLDER SIZE
// Each line on standard input is answered by augmenting all images once, on one thread, and a JSON
// line.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bench/process_cost.h"
#include "data/augment/image_augment.h"
#include "data/file.h"
#include "data/images/image.h"
#include "launcher/process_start.h"
#include "models/spatial_model.h"

namespace stc {
namespace {

class Views {
 public:
  explicit Views(int size) : size_(size), bytes_(at::empty({1, 3, size, size}, at::kByte)) {}

  at::Tensor view(const data::Image& image, data::Purpose purpose, std::uint64_t index) const {
    data::ImageOptions options;
    options.size = size_;
    data::CounterRandom random(0, purpose, 0, index);
    const auto drawn = data::draw_image_view(random, image.height, image.width, options);
    data::render_image_view(
        image, drawn, size_, {bytes_.data_ptr<std::uint8_t>(), bytes_.nbytes()});
    return models::normalise_rgb(bytes_);
  }

 private:
  int size_;
  at::Tensor bytes_;
};

int run(const std::string& folder, int size) {
  std::vector<std::vector<std::uint8_t>> files;
  for (const auto& path : data::list_images(folder)) files.push_back(data::read_file(path));
  const Views views(size);
  std::uint64_t index = 0;
  const auto augment_all = [&] {
    for (const auto& file : files) {
      const auto image = data::decode_image(file, folder);
      views.view(image, data::Purpose::kQueryView, index);
      views.view(image, data::Purpose::kKeyView, index++);
    }
  };
  bench::answer_each_line([&] { return bench::cost_of(augment_all); });
  return 0;
}

}  // namespace
}  // namespace stc

int main(int argc, char** argv) {
  stc::launcher::start_with_settings(argv);  // as stc does
  if (argc != 3) {
    std::fprintf(stderr, "usage: stc_bench_augment FOLDER SIZE\n");
    return 2;
  }
  at::set_num_threads(1);
  return stc::run(argv[1], std::stoi(argv[2]));
}
