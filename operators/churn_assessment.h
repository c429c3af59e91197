// How the operator `churn` follows an episode, by the models in force and by those in the shadow alike: pure.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "operators/churn.h"
#include "operators/churn_signs.h"

namespace portrait {

// The customer at one moment.
struct Churn::Assessment : ChurnSigns {
  bool customer = false;  // has a purchase day
  bool erased = false;
  double spend_at_risk_micros = 0;  // read only where a contact's profit is given

  // An order has come since the one that was the last, and by it the customer is not silent.
  bool CameBack(int64_t last_us) const { return customer && ToMicros(last) > last_us && !(causes & kSilence); }
};

// A cause that holds when an order closes its episode is muted until it has gone.
inline uint32_t MutedThen(uint32_t muted, bool closed_by_order, uint32_t holding) {
  return closed_by_order ? holding : muted & holding;
}

enum class EpisodeStep { kNone, kOpens, kWorsens, kCloses };

struct EpisodeLook {
  bool open = false;
  uint32_t causes = 0;  // that hold, and are not muted
  bool came_back = false;
  v1::ChurnAlert::Band worst = v1::ChurnAlert::NONE;
};

// `band`: of the customer now; asked for only where an open episode may worsen.
inline EpisodeStep NextStep(const EpisodeLook& look, absl::FunctionRef<v1::ChurnAlert::Band()> band) {
  if (!look.open) return look.causes != 0 ? EpisodeStep::kOpens : EpisodeStep::kNone;
  if (look.causes == 0 || look.came_back) return EpisodeStep::kCloses;
  return band() > look.worst ? EpisodeStep::kWorsens : EpisodeStep::kNone;
}

}  // namespace portrait
