#include "launcher/report/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "launcher/report/html.h"
#include "monitoring/text.h"

namespace stc::launcher {
namespace {

constexpr double kWidth = 420, kHeight = 204;
constexpr double kLeft = 52, kRight = 10, kTop = 8, kBottom = 34;
constexpr std::size_t kMaxPoints = 240;
constexpr int kColors = 6;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// Never of width zero, even for a flat or an empty line.
  Range opened() const {
    if (low > high) return {0, 1};
    if (low < high) return *this;
    const double margin = low == 0 ? 1 : std::abs(low) * 0.1;
    return {low - margin, high + margin};
  }
};

/// Neighbouring points taken together.
struct PointGroup {
  double x, mean, low, high;
};

std::vector<PointGroup> groups_of(const ChartLine& line) {
  const std::size_t size = std::max<std::size_t>(1, (line.x.size() + kMaxPoints - 1) / kMaxPoints);
  std::vector<PointGroup> groups;
  for (std::size_t first = 0; first < line.x.size(); first += size) {
    const std::size_t end = std::min(first + size, line.x.size());
    Range range;
    double x = 0, sum = 0;
    int count = 0;
    for (std::size_t i = first; i < end; ++i) {
      if (!std::isfinite(line.y[i])) continue;
      range.include(line.y[i]);
      x += line.x[i];
      sum += line.y[i];
      ++count;
    }
    if (count > 0) groups.push_back({x / count, sum / count, range.low, range.high});
  }
  return groups;
}

/// About four round numbers within the range.
std::vector<double> ticks_of(const Range& range) {
  const double rough = (range.high - range.low) / 4;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double nice : {5.0, 2.0, 1.0}) {
    if (nice * power >= rough) step = nice * power;
  }
  std::vector<double> ticks;
  for (double k = std::ceil(range.low / step - 1e-9); k * step <= range.high + 1e-9 * step; ++k) {
    ticks.push_back(k * step);
  }
  return ticks;
}

template <typename X, typename Y, typename Content>
std::string label(const X& x, const Y& y, const char* anchor, const Content& content) {
  return text("<text x='{}' y='{}' text-anchor='{}'>{}</text>", x, y, anchor, content);
}

class Axes {
 public:
  Axes(const Range& x, const Range& y) : x_(x.opened()), y_(y.opened()) {}

  double across(double x) const {
    return kLeft + (x - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight);
  }
  double down(double y) const {
    return kHeight - kBottom - (y - y_.low) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
  }
  std::string point(double x, double y) const {
    return fixed(across(x)) + "," + fixed(down(y)) + " ";
  }

  std::string drawn(const std::string& x_name) const {
    std::string svg;
    for (const double tick : ticks_of(y_)) {
      const auto y = fixed(down(tick));
      svg += text(
          "<line class='grid' x1='{}' x2='{}' y1='{}' y2='{}'/>", kLeft, kWidth - kRight, y, y);
      svg += label(kLeft - 6, fixed(down(tick) + 4), "end", short_number(tick));
    }
    for (const double tick : ticks_of(x_))
      svg += label(fixed(across(tick)), kHeight - 18, "middle", short_number(tick));
    return svg + label(kWidth - kRight, kHeight, "end", escape_html(x_name));
  }

 private:
  Range x_, y_;
};

std::string drawn_line(const Axes& axes, const std::vector<PointGroup>& groups, std::size_t color) {
  std::string upper, lower, middle;
  for (const auto& group : groups) {
    upper += axes.point(group.x, group.high);
    lower = axes.point(group.x, group.low) + lower;
    middle += axes.point(group.x, group.mean);
  }
  const auto name = text("c{}", color % kColors);
  return "<polygon class='band " + name + "' points='" + upper + lower + "'/><polyline class='" +
         name + "' points='" + middle + "'/>";
}

constexpr double kSpreadRow = 42, kSpreadSide = 14, kSpreadWidth = 460;  // user units of the SVG

double spread_x(double value) { return kSpreadSide + value * (kSpreadWidth - 2 * kSpreadSide); }

std::string spread_row(const SpreadRow& row, double y, const std::string& color) {
  auto svg = text(
      "<text class='name' x='{}' y='{}'>{}</text>", kSpreadSide, y - 13, escape_html(row.label));
  for (std::size_t k = 0; k < row.values.size(); ++k) {
    svg += text("<circle class='{}' cx='{}' cy='{}' r='5'><title>{}: {}</title></circle>",
                color,
                fixed(spread_x(row.values[k])),
                y,
                escape_html(row.names[k]),
                fixed(100 * row.values[k]));
  }
  if (!std::isfinite(row.mean)) return svg;
  const auto x = fixed(spread_x(row.mean));
  return svg +
         text(
             "<line class='mean {}' x1='{}' x2='{}' y1='{}' y2='{}'><title>mean: {}</title></line>",
             color,
             x,
             x,
             y - 9,
             y + 9,
             fixed(100 * row.mean));
}

}  // namespace

std::string line_chart(const std::string& title,
                       const std::string& x_name,
                       const std::vector<ChartLine>& lines,
                       bool unit_range) {
  std::vector<std::vector<PointGroup>> groups;
  Range x, y;
  for (const auto& line : lines) {
    groups.push_back(groups_of(line));
    for (const auto& group : groups.back()) {
      x.include(group.x);
      y.include(group.low);
      y.include(group.high);
    }
  }
  if (unit_range) y = {0, 1};
  const Axes axes(x, y);
  std::string svg = axes.drawn(x_name);
  std::string legend;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    svg += drawn_line(axes, groups[i], i);
    legend += text("<span><i class='c{}'></i>{}</span>", i % kColors, escape_html(lines[i].label));
  }
  const bool is_single = lines.size() == 1 && !groups[0].empty();
  return "<figure><figcaption>" + escape_html(title) +
         (is_single ? "<b>" + short_number(groups[0].back().mean) + "</b>" : "") + "</figcaption>" +
         text("<svg viewBox='0 0 {} {}' role='img'>{}</svg>", kWidth, kHeight + 4, svg) +
         (lines.size() > 1 ? "<div class='legend'>" + legend + "</div>" : "") + "</figure>";
}

std::string spread_chart(const std::string& title, const std::vector<SpreadRow>& rows) {
  const double height = kSpreadRow * static_cast<double>(rows.size()) + 24;
  std::string svg;
  for (int tick = 0; tick <= 100; tick += 20) {
    const auto x = fixed(spread_x(tick / 100.0));
    svg += text("<line class='grid' x1='{}' x2='{}' y1='0' y2='{}'/>", x, x, height - 20);
    svg += label(x, height - 4, "middle", tick);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double y = kSpreadRow * static_cast<double>(i) + 27;
    svg += spread_row(rows[i], y, text("c{}", i % kColors));
  }
  return text(
      "<figure class='wide spread'><figcaption>{}</figcaption><svg viewBox='0 0 {} {}' "
      "role='img'>{}</svg></figure>",
      escape_html(title),
      kSpreadWidth,
      height,
      svg);
}

}  // namespace stc::launcher
