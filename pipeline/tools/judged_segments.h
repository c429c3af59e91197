// Predictions of no order judged by what came, on all customers and on some of them: bought once, came back, ordered in
// the last 90 days.
//
//   std::vector<ToldAndCame> told = …;
//   AddJudgements(told, "mbg_nbd", *card.mutable_judged());
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/repeated_field.h"
#include "operators/models/purchase_history.h"
#include "portrait/v1/model.pb.h"

namespace portrait {

using JudgedModels = google::protobuf::RepeatedPtrField<v1::JudgedModel>;

// What one customer did within the horizon, and what a model had said.
struct ToldAndCame {
  PurchaseHistory history;
  double no_order = 0, orders = 0, spend = 0;
  double came_orders = 0, came_spend = 0;
};

// Adds a judgement for each segment in which some ordered and some did not; that of all customers has ten groups, too.
void AddJudgements(const std::vector<ToldAndCame>& told, std::string_view model, JudgedModels& judged);

// That of all customers alone.
void AddJudgementOnAll(const std::vector<ToldAndCame>& told, std::string_view model, JudgedModels& judged);

// Where `model` was judged on all customers; null: nowhere.
const v1::JudgedModel* JudgedOnAll(const JudgedModels& judged, std::string_view model);

// "  0.123  0.110  50 customers" for each group, predicted and come.
std::string GroupsText(const v1::JudgedModel& judged);

}  // namespace portrait
