#include "pipeline/training/churn_table.h"

#include <xxhash.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "operators/models/learned_churn.h"

namespace portrait {

std::vector<double> CountedRow(const v1::ChurnExample& example) {
  std::vector<double> row;
  for (const v1::ExampleFeature& feature : example.features()) {
    row.push_back(CountedAs(feature.name(), feature.value()));
  }
  return row;
}

ChurnTable ChurnTable::Of(const std::vector<const v1::ChurnExample*>& examples) {
  ChurnTable out;
  out.horizon_days = examples[0]->horizon_days();
  for (const v1::ExampleFeature& feature : examples[0]->features()) out.features.push_back(feature.name());
  out.examples.features = out.features.size();
  out.population = static_cast<size_t>(std::find(out.features.begin(), out.features.end(), kPopulationLogOdds) -
                                       out.features.begin());
  for (const v1::ChurnExample* one : examples) {
    const std::vector<double> row = CountedRow(*one);
    out.examples.Add(row, one->no_order() ? 1 : 0, out.population < row.size() ? row[out.population] : 0);
    const std::string& id = one->info().customer_id();
    out.parts.push_back(XXH3_64bits(id.data(), id.size()) % kParts);
  }
  return out;
}

ChurnTable ChurnTable::Without(size_t part) const {
  ChurnTable out{.horizon_days = horizon_days,
                 .features = features,
                 .population = population,
                 .examples = {.features = examples.features},
                 .parts = {}};
  for (size_t i = 0; i < examples.size(); ++i) {
    if (parts[i] == part) continue;
    out.examples.Add(examples.Row(i), examples.labels[i], examples.offsets[i]);
    out.parts.push_back(parts[i]);
  }
  return out;
}

size_t WithoutOrder(const Examples& examples) {
  return static_cast<size_t>(
      std::count_if(examples.labels.begin(), examples.labels.end(), [](double label) { return label > 0; }));
}

std::string TooLittle(const Examples& examples, size_t least) {
  if (examples.size() < least) {
    return absl::StrCat("too few closed examples: ", examples.size(), ", at least ", least, " are needed");
  }
  const size_t without = WithoutOrder(examples);
  if (without > 0 && without < examples.size()) return {};
  return absl::StrCat("all ", examples.size(),
                      " examples have one label: ", without == 0 ? "every customer ordered" : "no customer ordered",
                      " within the horizon");
}

}  // namespace portrait
