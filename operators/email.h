// Mail to the customer: what was delivered, opened, clicked and bounced, by window, by campaign and by kind of mail;
// spam reports, and whether the customer has unsubscribed.
//
//   builder.Add<Email>();
//   … email.open_rate_30d = 0.4, email.unsubscribed = false, email.kinds = newsletter(8, 3, 1, 0.375, 2)
//
// A mail counts once as delivered, opened, clicked and bounced, as long as its mail id is among the latest kKnownMails
// (16) that were heard of; without a mail id each event counts. A click in a mail not seen as opened counts as its
// opening too, since readers often load no images. Links clicked are counted each. Everything counts on its event's own
// day, however late it comes.
//
// Rates of a window are the mails opened (or clicked in) during it by the mails delivered during it, at most 1; there
// is none where nothing was delivered.
//
// Unsubscribed is who unsubscribed, or reported spam, and has not consented to marketing since (consent_changed), by
// event time.
//
// Bound. 16 mails of 4 bytes; 8 campaigns and 6 kinds, each with a name cut at 32 bytes: where there is no room, the
// one with the oldest latest day leaves, and one that is older than all does not come in; two windows
// (operators/window.h). A typical state (10 mails, 3 campaigns, 2 kinds) takes 230 bytes, one with a mail a day and
// everything full 730, the largest possible one 1.2 kB.
#pragma once

#include "operators/operator.h"
#include "portrait/v1/state/email.pb.h"

namespace portrait {

inline constexpr int kKnownMails = 16;
inline constexpr int kMailCampaigns = 8;
inline constexpr int kMailKinds = 6;
inline constexpr size_t kMailNameBytes = 32;

class Email final : public Operator<v1::state::Email> {
 public:
  static void Describe(Description& about);
  void OnEvent(const Event& event, v1::state::Email& state, Context& context) const override;
  void Fetch(const v1::state::Email& state, Fetcher& fetch) const override;
};

}  // namespace portrait
