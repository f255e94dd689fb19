#include "data/video/h264_encoder.h"

#include <wels/codec_api.h>

#include <cmath>

#include "monitoring/check.h"

namespace stc::data {
namespace {

// Overlays are looked at, and have sharp edges in colour: a constant and good quality.
constexpr int kQuantizer = 20;
constexpr unsigned kKeyInterval = 60;

std::vector<std::uint8_t> bytes_of(const SFrameBSInfo& encoded) {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < encoded.iLayerNum; ++i) {
    const auto& layer = encoded.sLayerInfo[i];
    int size = 0;
    for (int unit = 0; unit < layer.iNalCount; ++unit) size += layer.pNalLengthInByte[unit];
    bytes.insert(bytes.end(), layer.pBsBuf, layer.pBsBuf + size);
  }
  return bytes;
}

void mark_colours(SSpatialLayerConfig& layer) {
  layer.bVideoSignalTypePresent = true;
  layer.uiVideoFormat = VF_UNDEF;
  layer.bFullRange = false;
  layer.bColorDescriptionPresent = true;
  layer.uiColorPrimaries = CP_BT709;
  layer.uiTransferCharacteristics = TRC_BT709;
  layer.uiColorMatrix = CM_BT709;
}

}  // namespace

H264Encoder::H264Encoder(int height, int width, double frames_per_second)
    : frames_per_second_(frames_per_second) {
  STC_CHECK(WelsCreateSVCEncoder(&encoder_) == 0 && encoder_ != nullptr,
            "OpenH264 cannot be started");
  int silence = WELS_LOG_QUIET;
  encoder_->SetOption(ENCODER_OPTION_TRACE_LEVEL, &silence);
  SEncParamExt options;
  encoder_->GetDefaultParams(&options);
  options.iUsageType = CAMERA_VIDEO_REAL_TIME;
  options.iPicWidth = width;
  options.iPicHeight = height;
  options.fMaxFrameRate = static_cast<float>(frames_per_second);
  options.iRCMode = RC_OFF_MODE;
  options.bEnableFrameSkip = false;
  options.uiIntraPeriod = kKeyInterval;
  options.iMultipleThreadIdc = 0;  // as many as there are cores
  auto& layer = options.sSpatialLayers[0];
  layer.iVideoWidth = width;
  layer.iVideoHeight = height;
  layer.fFrameRate = options.fMaxFrameRate;
  layer.iDLayerQp = kQuantizer;
  mark_colours(layer);
  const int result = encoder_->InitializeExt(&options);
  if (result == cmResultSuccess) return;
  WelsDestroySVCEncoder(encoder_);
  throw Error(Exit::kFailed,
              text("OpenH264 does not take {} x {} pixels at {} frames per second (error {})",
                   height,
                   width,
                   frames_per_second,
                   result));
}

H264Encoder::~H264Encoder() {
  encoder_->Uninitialize();
  WelsDestroySVCEncoder(encoder_);
}

std::vector<std::uint8_t> H264Encoder::parameter_sets() {
  SFrameBSInfo encoded = {};
  STC_CHECK(encoder_->EncodeParameterSets(&encoded) == cmResultSuccess,
            "OpenH264 gave no parameter sets");
  return bytes_of(encoded);
}

H264Encoder::Encoded H264Encoder::encode(const AVFrame& yuv420p) {
  SSourcePicture picture = {};
  picture.iColorFormat = videoFormatI420;
  picture.iPicWidth = yuv420p.width;
  picture.iPicHeight = yuv420p.height;
  picture.uiTimeStamp = std::llround(1000.0 * frames_++ / frames_per_second_);
  for (int plane = 0; plane < 3; ++plane) {
    picture.iStride[plane] = yuv420p.linesize[plane];
    picture.pData[plane] = yuv420p.data[plane];
  }
  SFrameBSInfo encoded = {};
  const int result = encoder_->EncodeFrame(&picture, &encoded);
  STC_CHECK(result == cmResultSuccess && encoded.eFrameType != videoFrameTypeSkip,
            "OpenH264 could not encode frame {} (error {})",
            frames_ - 1,
            result);
  return {bytes_of(encoded), encoded.eFrameType == videoFrameTypeIDR};
}

}  // namespace stc::data
