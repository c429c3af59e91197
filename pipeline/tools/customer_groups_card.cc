#include "pipeline/tools/customer_groups_card.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace portrait {
namespace {

// "1: up to 1, 3: up to 2, …": a fifth that ties have emptied is left out. Boundaries rise; `fifth` is that up to the
// first one, `step` leads to the next.
std::string Fifths(const google::protobuf::RepeatedField<double>& boundaries, int fifth, int step) {
  std::string text;
  for (int i = 0; i < boundaries.size(); ++i, fifth += step) {
    if (i > 0 && boundaries[i] == boundaries[i - 1]) continue;
    absl::StrAppendFormat(&text, "%d: up to %.8g, ", fifth, boundaries[i]);
  }
  return absl::StrCat(text, fifth, ": more");
}

std::string None(const char* what, const std::string& because) {
  return absl::StrCat("no ", what, " of customers: ", because.empty() ? "the file has none" : because, "\n");
}

// A coordinate counts spreads from the mean of all. Logarithms of days pile up at long silences, those of orders and
// spend at few and little.
std::string InWords(const v1::CustomerCluster& cluster) {
  const double silence = cluster.recency(), orders = cluster.frequency(), spend = cluster.monetary();
  constexpr double kLow = -0.5, kHigh = 1, kLong = 0.4, kShortest = -2;
  const char* const last = silence < kShortest ? "very lately" : silence < kLow ? "lately" : "a while ago";
  return absl::StrCat(silence > kLong ? "long ago" : last, ", ",
                      orders < kLow    ? "seldom"
                      : orders > kHigh ? "often"
                                       : "at times",
                      ", ",
                      spend < kLow    ? "little spend"
                      : spend > kHigh ? "much spend"
                                      : "middling spend");
}

}  // namespace

std::string RfmText(const v1::RfmFit& fit) {
  if (fit.silent_days().empty()) return None("fifths", fit.none_because());
  return absl::StrCat("fifths of customers, 5 is best\n",  //
                      "  recency    by days since the last purchase day  ", Fifths(fit.silent_days(), 5, -1), "\n",
                      "  frequency  by purchase days                     ", Fifths(fit.purchase_days(), 1, 1), "\n",
                      "  monetary   by spend                             ", Fifths(fit.spend(), 1, 1), "\n");
}

std::string ClustersText(const v1::CustomerClustersFit& fit) {
  if (fit.clusters().empty()) return None("clusters", fit.none_because());
  std::string text = "clusters of customers, with the means of those in them\n";
  for (int i = 0; i < fit.clusters_size(); ++i) {
    const v1::CustomerCluster& one = fit.clusters(i);
    absl::StrAppendFormat(&text, "  %2d  %5.1f %%  %7.1f days silent  %6.1f purchase days  %10.2f spend: %s\n", i + 1,
                          100 * one.share(), one.mean_silent_days(), one.mean_purchase_days(), one.mean_spend(),
                          InWords(one));
  }
  return text;
}

}  // namespace portrait
