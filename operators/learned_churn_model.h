// The model of churn that was learned from closed examples, behind the interface of churn_model.h; and the choice of
// the model in force.
//
//   std::unique_ptr<ChurnModel> model = MakeChurnModel(models);   // learned where the models hold one
//   builder.Add<Churn>(ChurnOptions{}, MakeChurnModel(models));
//
// Reasons are exact: the base, which holds of a customer who is usual in everything (with trees: of whom nothing is
// known), then what the features add that move the log-odds most (LearnedChurn::Explain), each with the customer's
// value and the usual one, then the sum of the others. Orders and spend to expect stay those of the population models.
//
// Reaches. Windows run empty while a customer is silent, so the score may rise or fall. It is looked at at the end of
// each of the next kLookAheadDays local days, and, for trees, right before each moment within a day at which one of
// them turns another way (silence_steps.h); up to the first one where it is high enough, the moment is found by
// halving, to a second. When there is none, the moment given is the end of those days: look again then. With trees
// nothing is missed, for between those moments the score only rises; of a regression, a rise that is over by the end of
// its day is. So an open episode costs at most kLookAheadDays scores, one more for each turn, and one timer in as many
// days, until the customer has been silent for as long as asked for.
#pragma once

#include <memory>

#include "operators/churn_model.h"

namespace portrait {

inline constexpr int kLookAheadDays = 30;

// The learned model if `models` has one, else that of the population. Bind refuses features that are not there.
std::unique_ptr<ChurnModel> MakeChurnModel(FittedModels models);

}  // namespace portrait
