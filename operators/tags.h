// Tags from thresholds: the life cycle, returning, frequent_buyer, high_spender, low_spender and interest:<category>.
//
//   builder.Add<Purchases>().Add<Tags>(TagsOptions{.high_spend_365d = 1'000});
//
// Life cycle: every customer has exactly one of these at any time, the first that holds:
//   lost    the last activity lies lost_days or more back
//   silent  … silent_days or more
//   new     the first event lies less than new_days back
//   active  otherwise
// Activity is any event except what is done to the customer rather than by them: a mail delivered or bounced, a reply
// or resolution by the staff, an outbound call. Where only such events came, the first of them stands for it.
//   returning       from the first activity after silent or lost, for returning_days, unless silent again before; an
//                   activity that comes late and shows that there was no silence ends silent, but is no return
//   frequent_buyer  orders of the last 90 days; high_spender, low_spender: spend of the last 365 days, in the home
//   currency interest:x      views of category x in the last 30 days (site.interests, where the chain has it); at most
//   8
// Tags do not flap: a tag that counts comes at one threshold and goes only below (above) a second one, its *_keep.
//
// Time alone changes tags, too, at the exact moment: one timer for the life cycle, one for the end of returning, one
// for the day on which the next order leaves a window, and one at each midnight while an interest is held. Where
// nothing can change there is no timer. Activity does not move the timer of the life cycle: it looks again when it
// fires.
//
// When the customer is erased, every tag held goes.
//
// All changes of one step are written together and show the same final set of tags. A page view costs below 300 ns
// unless an interest may have reached its threshold. State: about 20 bytes and 20 for each tag. The rule language will
// take this operator's place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operators/operator.h"
#include "portrait/v1/state/tags.pb.h"

namespace portrait {

struct TagsOptions {
  int new_days = 30;
  int silent_days = 60;
  int lost_days = 180;
  int returning_days = 30;
  int64_t frequent_orders_90d = 3;
  int64_t frequent_orders_90d_keep = 2;
  double high_spend_365d = 500;
  double high_spend_365d_keep = 400;
  double low_spend_365d = 50;  // at most this, and at least one order
  double low_spend_365d_keep = 60;
  int64_t interest_views_30d = 5;
  int64_t interest_views_30d_keep = 2;
};

class Tags final : public Operator<v1::state::Tags> {
 public:
  explicit Tags(TagsOptions options = {}) : options_(options) {}

  static void Describe(Description& about);
  absl::Status Bind(const FeatureRegistry& features) override;
  void OnEvent(const Event& event, v1::state::Tags& state, Context& context) const override;
  void OnTimer(const Timer& timer, v1::state::Tags& state, Context& context) const override;

 private:
  struct Change {
    std::string tag;
    bool after = false;
    v1::Reason reason;
  };
  using Changes = std::vector<Change>;
  struct PurchaseFeatures {
    FeatureRef orders_90d, orders_365d, spend_365d, expires_90d, expires_365d;
  };

  void FollowLifeCycle(v1::state::Tags& state, const Context& context, bool after_silence, Changes& changes) const;
  void SetLifeCycleTimer(const v1::state::Tags& state, Context& context) const;
  void CheckReturning(v1::state::Tags& state, Context& context, Changes& changes) const;
  void CheckPurchases(const PurchaseFeatures& features, const v1::state::Tags& state, Context& context,
                      Changes& changes) const;
  void CheckInterests(const FeatureRef& interests, v1::state::Tags& state, Context& context, Changes& changes) const;
  void Forget(const Event& event, v1::state::Tags& state, Context& context) const;
  void Apply(Changes changes, v1::state::Tags& state, Context& context) const;

  TagsOptions options_;
  std::optional<PurchaseFeatures> purchases_;
  std::optional<FeatureRef> interests_;
  size_t views_column_ = 0;
};

}  // namespace portrait
