// How far fitted population models can be trusted: fitted to what was before the last window, judged by what came.
//
//   *file->mutable_card() = CardOf(pasts, until, 90);
//   PutBestInForce(*file);
//   std::cout << ModelFileReport(file);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/tools/looking_back.h"
#include "portrait/v1/model.pb.h"

namespace portrait {

// The window is the last `horizon_days` up to and with `until`. MBG/NBD and Pareto/NBD are judged on all who ordered
// before it, and on those who had bought once, had come back, had ordered within 90 days. Where the history before the
// window is too short (30 days, 10 customers who came back), or all or nobody ordered: no judgement, and why.
v1::ModelCard CardOf(const std::vector<CustomerPast>& pasts, int32_t until, int32_t horizon_days);

// Puts the model of orders in force that has the lower Brier score on all customers; without a judgement, no change.
void PutBestInForce(v1::ModelFile& file);

// The file for people: what the models are, of whom they were learned, and the card; ends with a line break.
std::string ModelFileReport(const v1::ModelFile& file);

}  // namespace portrait
