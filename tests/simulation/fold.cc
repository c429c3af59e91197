#include "tests/simulation/fold.h"

#include <chrono>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "pipeline/mutation.h"
#include "portrait/v1/journal.pb.h"
#include "portrait/v1/result.pb.h"

namespace portrait::simulation {
namespace {

// v1::TaskState serves as a state with two numbers: a hash over everything that was applied, in order, as
// highest_time_us, and the version that has last judged it, as last_tick_us.
class Fold final : public Operator<v1::TaskState> {
 public:
  explicit Fold(int64_t version) : version_(version) {}

  static void Describe(Description& about) {
    about.Name("fold").ReadsEverything().FollowsSwitches().Writes<v1::TagChange>("results", "a step of the fold");
  }

  void OnEvent(const Event& event, v1::TaskState& state, Context& context) const override {
    Mix(state, event.event_id(), event.event_time_us() + (context.late() ? 1 : 0) + 3 * version_);
    state.set_last_tick_us(version_);
    if (event.has_page_viewed()) context.SetTimer(1, EventTime(event) + seconds(7));
    if (event.has_clicked() && !context.TimerAt(2)) context.SetTimer(2, context.now() + seconds(20));
    Tell("event", state, context);
    if (event.has_order_completed()) {
      for (const std::string& part : Parts()) Tell(part, state, context);
    }
  }

  void OnTimer(const Timer& timer, v1::TaskState& state, Context& context) const override {
    Mix(state, "timer", ToMicros(timer.time) + timer.id + 5 * version_);
    if (timer.id == 1) context.SetTimer(3, timer.time + seconds(2));
    Tell("timer", state, context);
  }

  // Half of the rows that another version has judged.
  bool Reconsiders(const v1::TaskState& state, const Context&) const override {
    return state.last_tick_us() != version_ && (state.highest_time_us() & 1) != 0;
  }
  void OnSwitch(v1::TaskState& state, Context& context) const override {
    Mix(state, "switch", version_);
    state.set_last_tick_us(version_);
    context.SetTimer(4, context.now() + seconds(3));
    Tell("switch", state, context);
  }

 private:
  static std::vector<std::string> Parts() {
    std::vector<std::string> parts = {"north", "east", "south", "west"};
    if (!Mutated(Mutation::kHashOrderInResults)) return parts;
    const absl::flat_hash_set<std::string> hashed(parts.begin(), parts.end());
    return {hashed.begin(), hashed.end()};
  }

  static void Mix(v1::TaskState& state, std::string_view text, int64_t number) {
    uint64_t hash = 1469598103934665603u ^ (static_cast<uint64_t>(state.highest_time_us()) * 31);
    if (Mutated(Mutation::kOperatorReadsClock)) number += std::chrono::steady_clock::now().time_since_epoch().count();
    for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
    state.set_highest_time_us(static_cast<int64_t>((hash ^ static_cast<uint64_t>(number)) * 1099511628211u));
  }

  static void Tell(std::string_view what, const v1::TaskState& state, Context& context) {
    v1::TagChange change;
    change.set_tag(absl::StrCat(absl::string_view(what.data(), what.size()), " ", state.highest_time_us()));
    context.Emit(change);
  }

  const int64_t version_;
};

}  // namespace

std::unique_ptr<Chain> FoldingChain(int64_t version) {
  return std::move(ChainBuilder().Add<Fold>(version)).Build("simulated").value();
}

}  // namespace portrait::simulation
