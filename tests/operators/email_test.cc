#include "operators/email.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

OperatorHarness EmailHarness() { return OperatorHarness(std::move(ChainBuilder().Add<Email>())); }

v1::Email Mail(std::string_view id, std::string_view campaign = "", std::string_view kind = "") {
  v1::Email mail;
  mail.set_mail_id(std::string(id));
  mail.set_campaign_id(std::string(campaign));
  mail.set_kind(std::string(kind));
  return mail;
}

Event Delivered(std::string_view time, const v1::Email& mail) {
  Event event = EventFor("anna", At(time));
  *event.mutable_email_delivered() = mail;
  return event;
}

Event Opened(std::string_view time, const v1::Email& mail) {
  Event event = EventFor("anna", At(time));
  *event.mutable_email_opened() = mail;
  return event;
}

Event Clicked(std::string_view time, const v1::Email& mail) {
  Event event = EventFor("anna", At(time));
  *event.mutable_email_link_clicked() = mail;
  return event;
}

Event Consent(std::string_view time, v1::Consent::Choice choice) {
  Event event = EventFor("anna", At(time));
  event.mutable_consent_changed()->set_marketing(choice);
  return event;
}

Event Unsubscribed(std::string_view time) {
  Event event = EventFor("anna", At(time));
  event.mutable_unsubscribed();
  return event;
}

std::string Told(const OperatorHarness& harness, std::initializer_list<const char*> names) {
  std::string out;
  for (const char* name : names) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", name, " ", harness.Feature("anna", absl::StrCat("email.", name)));
  }
  return out;
}

TEST_CASE("rates are mails opened and clicked in by mails delivered, by window") {
  OperatorHarness harness = EmailHarness();
  for (int day = 1; day <= 8; ++day)
    harness.Send(Delivered(absl::StrCat("2026-01-0", day), Mail(absl::StrCat("m", day))));
  harness.Send(Opened("2026-01-08 10:00", Mail("m1")));
  harness.Send(Opened("2026-01-08 11:00", Mail("m2")));
  harness.Send(Clicked("2026-01-08 12:00", Mail("m2")));
  CHECK(Told(harness,
             {"delivered_30d", "opened_30d", "clicked_30d", "open_rate_30d", "click_rate_30d", "open_rate_1d"}) ==
        "delivered_30d 8, opened_30d 2, clicked_30d 1, open_rate_30d 0.25, click_rate_30d 0.125, open_rate_1d 1");
  CHECK(Told(harness, {"last_delivered", "last_opened", "last_clicked"}) ==
        "last_delivered 2026-01-08 00:00:00, last_opened 2026-01-08 12:00:00, last_clicked 2026-01-08 12:00:00");
  harness.AdvanceTo("2026-03-01");
  CHECK(Told(harness, {"open_rate_30d", "open_rate_90d", "open_rate", "click_rate_90d"}) ==
        "open_rate_30d none, open_rate_90d 0.25, open_rate 0.25, click_rate_90d 0.125");
}

TEST_CASE("a mail counts once as delivered, opened and clicked, in whatever order it is told") {
  OperatorHarness harness = EmailHarness();
  harness.Send(Clicked("2026-01-02", Mail("m1")));
  harness.Send(Opened("2026-01-01", Mail("m1")));
  harness.Send(Delivered("2026-01-01", Mail("m1")));
  harness.Send(Opened("2026-01-03", Mail("m1")));
  harness.Send(Clicked("2026-01-03", Mail("m1")));
  harness.Send(Delivered("2026-01-03", Mail("m1")));
  CHECK(Told(harness, {"delivered", "opened", "clicked", "links_clicked"}) ==
        "delivered 1, opened 1, clicked 1, links_clicked 2");
}

TEST_CASE("mails without an id count each time, and clicks in them open nothing") {
  OperatorHarness harness = EmailHarness();
  harness.Send(Delivered("2026-01-01", Mail("")));
  harness.Send(Opened("2026-01-01", Mail("")));
  harness.Send(Opened("2026-01-01", Mail("")));
  harness.Send(Clicked("2026-01-01", Mail("")));
  CHECK(Told(harness, {"delivered", "opened", "clicked", "open_rate"}) ==
        "delivered 1, opened 2, clicked 1, open_rate 1");
}

TEST_CASE("only the latest mails are known, so an opening of an older one counts again") {
  OperatorHarness harness = EmailHarness();
  harness.Send(Opened("2026-01-01", Mail("old")));
  for (int i = 0; i < 15; ++i) harness.Send(Delivered("2026-01-02", Mail(absl::StrCat("m", i))));
  harness.Send(Opened("2026-01-03", Mail("old")));
  CHECK(harness.Feature("anna", "email.opened") == "1");
  harness.Send(Delivered("2026-01-02", Mail("m16")));
  harness.Send(Opened("2026-01-03", Mail("old")));
  CHECK(harness.Feature("anna", "email.opened") == "2");
}

TEST_CASE("a late opening counts on its own day") {
  OperatorHarness harness = EmailHarness();
  harness.Send(Delivered("2026-03-01", Mail("m2")));
  harness.AdvanceTo("2026-03-10");
  harness.Send(Opened("2026-01-01", Mail("m1")));
  CHECK(Told(harness, {"opened_30d", "opened_90d", "last_opened"}) ==
        "opened_30d 0, opened_90d 1, last_opened 2026-01-01 00:00:00");
}

TEST_CASE("campaigns and kinds have their own counts, the latest first") {
  OperatorHarness harness = EmailHarness();
  harness.Send(Delivered("2026-01-01", Mail("m1", "winter", "newsletter")));
  harness.Send(Delivered("2026-01-05", Mail("m2", "sale", "offer")));
  harness.Send(Delivered("2026-01-06", Mail("m3", "sale", "offer")));
  harness.Send(Clicked("2026-01-07", Mail("m3", "sale", "offer")));
  harness.Send(Opened("2026-01-07", Mail("m4", "unseen", "")));
  harness.AdvanceTo("2026-01-08");
  CHECK(harness.ItemsFeature("anna", "email.campaigns") ==
        "sale(2, 1, 1, 0.5, 1) unseen(0, 1, 0, none, 1) winter(1, 0, 0, 0, 7)");
  CHECK(harness.ItemsFeature("anna", "email.kinds") == "offer(2, 1, 1, 0.5, 1) newsletter(1, 0, 0, 0, 7)");
}

TEST_CASE("where there is no room the campaign heard of longest ago leaves, and an older one does not come in") {
  OperatorHarness harness = EmailHarness();
  for (int i = 1; i <= 9; ++i) {
    harness.Send(Delivered(absl::StrCat("2026-01-0", i), Mail("", absl::StrCat("c", i))));
  }
  harness.Send(Opened("2026-01-09", Mail("", "c2")));
  harness.Send(Delivered("2025-12-01", Mail("", "old")));
  harness.Send(Delivered("2026-01-10", Mail("", "c10")));
  std::string names;
  const std::string told = harness.ItemsFeature("anna", "email.campaigns");
  for (const char* name : {"c1(", "c2(", "c3(", "c4(", "old(", "c10("}) {
    if (told.find(name) != std::string::npos) absl::StrAppend(&names, name, " ");
  }
  CHECK(names == "c2( c4( c10( ");
}

TEST_CASE("unsubscribing and spam reports hold until marketing is consented to again, by event time") {
  OperatorHarness harness = EmailHarness();
  harness.Send(Consent("2026-01-01", v1::Consent::GRANTED));
  CHECK(harness.Feature("anna", "email.unsubscribed") == "false");
  harness.Send(Unsubscribed("2026-01-10"));
  CHECK(harness.Feature("anna", "email.unsubscribed") == "true");
  harness.Send(Consent("2026-01-05", v1::Consent::GRANTED));  // out of order
  harness.Send(Consent("2026-01-11", v1::Consent::DENIED));
  CHECK(harness.Feature("anna", "email.unsubscribed") == "true");
  harness.Send(Consent("2026-01-12", v1::Consent::GRANTED));
  CHECK(harness.Feature("anna", "email.unsubscribed") == "false");
  Event spam = EventFor("anna", At("2026-01-13"));
  spam.mutable_email_marked_as_spam();
  harness.Send(spam);
  CHECK(Told(harness, {"unsubscribed", "unsubscriptions", "spam_reports"}) ==
        "unsubscribed true, unsubscriptions 1, spam_reports 1");
}

TEST_CASE("a bounced mail counts once") {
  OperatorHarness harness = EmailHarness();
  Event event = EventFor("anna", At("2026-01-01"));
  *event.mutable_email_bounced() = Mail("m1");
  harness.Send(event);
  harness.Send(event);
  CHECK(Told(harness, {"bounced_7d", "delivered", "open_rate"}) == "bounced_7d 1, delivered 0, open_rate none");
}

TEST_CASE("the state of email is small for a typical customer, and bounded for any") {
  OperatorHarness typical = EmailHarness(), heavy = EmailHarness(), extreme = EmailHarness();
  for (int i = 0; i < 10; ++i) {
    const Timestamp time = At("2026-01-01") + days(9 * i);
    const v1::Email mail =
        Mail(absl::StrCat("mail-", i), absl::StrCat("campaign-", i / 4), i % 2 ? "newsletter" : "offer");
    Event event = EventFor("anna", time);
    *event.mutable_email_delivered() = mail;
    typical.Send(event);
    if (i % 3 == 0) *event.mutable_email_opened() = mail, typical.Send(event);
  }
  for (int i = 0; i < 800; ++i) {
    const v1::Email mail =
        Mail(absl::StrCat("mail-", i), absl::StrCat("campaign-", i / 4), absl::StrCat("kind-", i % 9));
    Event event = EventFor("anna", At("2024-01-01") + days(i));
    *event.mutable_email_delivered() = mail;
    heavy.Send(event);
    if (i % 3 == 0) *event.mutable_email_opened() = mail, heavy.Send(event);
    if (i % 6 == 0) *event.mutable_email_link_clicked() = mail, heavy.Send(event);
    const std::string text = absl::StrCat(i, std::string(1'000, 'x'));
    *event.mutable_email_delivered() = Mail(text, text, text), extreme.Send(event);
    *event.mutable_email_link_clicked() = Mail(text, text, text), extreme.Send(event);
    *event.mutable_email_bounced() = Mail(text, text, text), extreme.Send(event);
  }
  UNSCOPED_INFO("bytes: typical " << typical.RowBytes("anna") << ", heavy " << heavy.RowBytes("anna") << ", extreme "
                                  << extreme.RowBytes("anna"));
  CHECK(typical.RowBytes("anna") < 280);
  CHECK(heavy.RowBytes("anna") < 800);
  CHECK(extreme.RowBytes("anna") < 1'300);
}

}  // namespace
}  // namespace portrait
