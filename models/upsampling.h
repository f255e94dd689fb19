// Bilinear upsampling of maps, with a gradient that is a sum in fixed order.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace stc::models {

/// maps [N, C, h, w] -> [N, C, side, side], pixel centres aligned (align_corners off). The values
/// are those of at::upsample_bilinear2d, whose gradient on a GPU adds in whatever order its threads
/// arrive; here the gradient is two products with the matrix of the interpolation. Differentiable
/// once.
at::Tensor upsample_bilinear(const at::Tensor& maps, std::int64_t side);

}  // namespace stc::models
