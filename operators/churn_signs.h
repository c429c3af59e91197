// The signs of leaving by which the operator `churn` opens alerts: silence, days with contact, complaints. What its
// state keeps of them, what they say at one moment, and the reasons in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operators/churn.h"
#include "operators/event.h"
#include "portrait/v1/state/churn.pb.h"

namespace portrait {

inline constexpr int kRecentDays = 30;      // over which contacts are compared
inline constexpr int kUsualDaysLeast = 60;  // over which the usual number is learned, at least

// What the customer does on the site, with mails and with the service.
bool IsContact(const Event& event);

// Counts the local day of a contact once. Returns whether it was new.
bool CountContact(v1::state::Churn& state, int32_t day);

// Days with contact in 30, as usual before the last 30; 0 while not enough is known.
double UsualContactDays(const v1::state::Churn& state, int32_t today);

// At most 8 stand open, and 4 resolutions wait for theirs; the oldest are forgotten. Without a ticket, a resolution
// settles the oldest complaint.
void FileComplaint(v1::state::Churn& state, const v1::ServiceContact& complaint, int64_t time_us);
void ResolveComplaint(v1::state::Churn& state, const v1::ServiceContact& resolution);

// Causes, as bits of the state. The numbers stay what they are.
inline constexpr uint32_t kSilence = 1;
inline constexpr uint32_t kContacts = 2;
inline constexpr uint32_t kComplaints = 4;

std::vector<std::string> CauseNames(uint32_t causes);

inline constexpr double kLongestDays = 3650;  // no timer lies further ahead

// At most kLongestDays.
Duration FromDays(double length);

// A customer with an order, at one moment.
struct ChurnSigns {
  Timestamp time, last;  // now, and the last order
  double silent_days = 0, limit_days = 0;
  int64_t contact_days = 0;
  double usual_days = 0, contact_limit = 0;
  int complaints = 0;  // overdue
  double complaint_days = 0;
  uint32_t causes = 0;  // that hold
};

// Causes of the open episode, and those that are muted; of the state, or of what it has of the shadow.
template <class Episode>
uint32_t KnownCauses(const Episode& episode) {
  return episode.causes() | episode.muted();
}

// `limit_days`: how long a silence the customer's own rhythm allows. Causes that are `known` hold longer than it takes
// to begin.
ChurnSigns SignsAt(const ChurnOptions& options, const v1::state::Churn& state, uint32_t known, Timestamp now,
                   int32_t today, Timestamp last, double limit_days);

// What causes add to the log-odds of the model.
double BesideModel(const ChurnOptions& options, uint32_t causes);

v1::Reason Because(std::string_view feature, const Value& value, std::string_view comparison, const Value& threshold,
                   double contribution, std::string text);

// The causes that hold, then those of the model. Silence is told with its threshold, if `silence` asks for it, and
// takes the place of the model's own reason of that kind.
std::vector<v1::Reason> ReasonsOf(const ChurnOptions& options, const ChurnSigns& now, bool silence,
                                  std::vector<v1::Reason> of_model);
// Where the profit of a contact is given.
v1::Reason ProfitReason(const ChurnOptions& options, double probability, double spend_micros);

}  // namespace portrait
