#include "ops/exposition.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/text.h"

namespace tickbridge::ops {

namespace {

prometheus::ClientMetric convert(const metrics::Sample& sample, metrics::Kind kind) {
  prometheus::ClientMetric metric;
  for (const metrics::Label& label : sample.labels) metric.label.push_back({label.name, valid_utf8(label.value)});
  if (kind == metrics::Kind::kHistogram) {
    metric.histogram.sample_count = sample.count;
    metric.histogram.sample_sum = sample.value;
    for (const auto& [bound, count] : sample.below) metric.histogram.bucket.push_back({count, bound});
    return metric;
  }
  (kind == metrics::Kind::kCounter ? metric.counter.value : metric.gauge.value) = sample.value;
  return metric;
}

prometheus::MetricType type_of(metrics::Kind kind) {
  if (kind == metrics::Kind::kHistogram) return prometheus::MetricType::Histogram;
  return kind == metrics::Kind::kCounter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
}

prometheus::MetricFamily convert(const metrics::Family& family) {
  prometheus::MetricFamily out{family.name, family.help, type_of(family.kind), {}};
  for (const metrics::Sample& sample : family.samples) out.metric.push_back(convert(sample, family.kind));
  return out;
}

}  // namespace

std::string render_exposition(const std::vector<metrics::Family>& families) {
  std::vector<prometheus::MetricFamily> all;
  for (const metrics::Family& family : families) {
    if (!family.samples.empty()) all.push_back(convert(family));
  }
  return prometheus::TextSerializer{}.Serialize(all);
}

}  // namespace tickbridge::ops
