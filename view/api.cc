#include "view/api.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "operators/tags.h"
#include "pipeline/absl_view.h"
#include "pipeline/log.h"
#include "pipeline/partitioner.h"
#include "pipeline/tools/times.h"
#include "view/answers.h"
#include "view/json.h"
#include "view/openapi.h"
#include "view/past.h"
#include "view/timeline.h"

namespace portrait::view {
namespace {

constexpr size_t kIdBytesMost = 1000;
constexpr size_t kFiltersMost = 100;
constexpr Duration kLookedUpWithin = seconds(2);
constexpr Duration kCommittedWithin = seconds(5);
constexpr Duration kAskAgain = std::chrono::milliseconds(10);

Json SessionJson(const Identity& identity) {
  const char* login = identity.login == Identity::Login::kNone     ? "none"
                      : identity.login == Identity::Login::kBearer ? "bearer"
                                                                   : "cookie";
  return {{"name", identity.name},
          {"role", std::string(RoleName(identity.role))},
          {"login", login},
          {"expires", identity.expires ? Json(TimeText(*identity.expires)) : Json()}};
}

HttpResponse Denied(const absl::Status& status) {
  const std::string message(status.message());
  return absl::IsPermissionDenied(status) ? ErrorResponse(403, "wrong_host", message)
                                          : ErrorResponse(401, "unauthorized", message);
}

}  // namespace

// A look at a row on its way.
struct Api::LookUp {
  CallPtr call;
  bool timeline = false;
  std::optional<Timestamp> at;  // in the past; else now
  bool committed = false;       // is waited for
  int32_t partition = 0;
  TimelinePage page;
  Duration begun{};
  std::optional<RowLook> first;  // seen, and not known to be committed
  uint64_t first_number = 0;
  bool answered = false;
};

Api::Api(const Parts& parts, Page page)
    : config_(parts.config),
      portraits_(parts.portraits),
      metrics_(parts.metrics),
      clock_(parts.clock),
      hub_(parts.hub),
      tags_(parts.tags),
      overview_(parts.overview),
      thread_(parts.thread),
      page_(std::move(page)),
      access_(parts.config.view),
      forwarder_(parts.config.view.tls_authorities) {}

void Api::Handle(HttpRequest request, std::function<void(HttpResponse)> respond) {
  auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->what = "other";
  // Everything counts, and what concerns a customer goes into the audit log.
  call->respond = [this, call_at = call.get(), respond = std::move(respond)](HttpResponse response) {
    metrics_.ViewRequests(call_at->what, response.status).Increment();
    if (!call_at->customer.empty()) {
      LogInfo("audit", {{"what", call_at->what},
                        {"customer", call_at->customer},
                        {"by", call_at->identity.name},
                        {"role", RoleName(call_at->identity.role)},
                        {"from", call_at->request.remote},
                        {"status", response.status}});
    }
    respond(std::move(response));
  };
  if (source_.rules_in_force) portraits_.Use(source_.rules_in_force());
  auto target = HttpTarget::Parse(call->request.target);
  if (!target.ok()) {
    return call->respond(ErrorResponse(400, "bad_request", std::string(target.status().message())));
  }
  call->target = *std::move(target);
  Route(call);
}

void Api::Route(const CallPtr& call) {
  const std::vector<std::string>& path = call->target.segments;
  const std::string& method = call->request.method;
  const bool get = method == "GET" || method == "HEAD";
  const auto not_allowed = [&](const char* allow) {
    HttpResponse response = ErrorResponse(405, "method_not_allowed", absl::StrCat("only ", allow));
    response.headers.emplace_back("Allow", allow);
    call->respond(std::move(response));
  };
  if (path[0] != "v1") {
    call->what = "page";
    return get ? call->respond(page_.Get(path)) : not_allowed("GET");
  }
  const std::string_view what = path.size() > 1 ? std::string_view(path[1]) : std::string_view();
  const bool plain = path.size() == 2;
  if (plain && (what == "login" || what == "logout")) {
    call->what = what == "login" ? "login" : "logout";
    if (method != "POST") return not_allowed("POST");
    if (what == "login") return call->respond(Login(call->request));
    return call->respond({.status = 204, .headers = {{"Set-Cookie", access_.Logout(call->request)}}});
  }
  if (plain && what == "openapi.yaml") {
    call->what = "openapi";
    return get ? call->respond({.type = "application/yaml", .body = std::string(kOpenApi)}) : not_allowed("GET");
  }
  auto identity = access_.Identify(call->request, clock_.Now());
  if (!identity.ok()) return call->respond(Denied(identity.status()));
  call->identity = *std::move(identity);

  struct Known {
    std::string_view what;
    Permission permission;
  };
  static constexpr Known kKnown[] = {{"session", Permission::kNothing},  {"features", Permission::kNothing},
                                     {"overview", Permission::kService}, {"chain", Permission::kService},
                                     {"stream", Permission::kCustomer},  {"customers", Permission::kCustomer}};
  const auto known =
      std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& one) { return one.what == what; });
  const bool customer = what == "customers" && (path.size() == 3 || (path.size() == 4 && path[3] == "timeline"));
  if (known == std::end(kKnown) || (!plain && !customer)) {
    return call->respond(ErrorResponse(404, "not_found", "there is no such path"));
  }
  call->what = customer ? (path.size() == 4 ? "timeline" : "customer") : known->what;
  if (!get) return not_allowed("GET");
  if (!May(call->identity.role, known->permission)) {
    return call->respond(
        ErrorResponse(403, "forbidden", absl::StrCat("not for the role ", AbslView(RoleName(call->identity.role)))));
  }
  if (customer) return Customer(call, path.size() == 4);
  if (what == "stream") return call->respond(Stream(*call));
  if (what == "customers") return Holders(call);
  if (what == "overview") return ShowOverview(call);
  if (absl::Status s = CheckParameters(call->target, {}); !s.ok()) {
    return call->respond(BadParameter(std::string(s.message())));
  }
  if (what == "session") return call->respond(Ok(SessionJson(call->identity)));
  if (what == "features") return call->respond(Catalogue());
  call->respond(Ok(overview_.ChainGraph()));
}

std::vector<int32_t> Api::PartitionsHere() const {
  std::vector<int32_t> here;
  if (!source_.partitions_here) return here;
  for (const auto& [partition, number] : source_.partitions_here()) here.push_back(partition);
  return here;
}

bool Api::HasAShare() const {
  const size_t here = source_.partitions_here ? source_.partitions_here().size() : 0;
  return here > 0 && here < static_cast<size_t>(source_.partitions);
}

HttpResponse Api::Login(const HttpRequest& request) {
  if (!absl::StartsWithIgnoreCase(request.content_type, "application/json")) {
    return ErrorResponse(415, "unsupported_media_type", "the body must be application/json");
  }
  const Json body = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object() || !body.contains("token") || !body["token"].is_string()) {
    return ErrorResponse(400, "bad_body", "the body must be {\"token\": \"...\"}");
  }
  auto opened = access_.Login(body["token"].get<std::string>(), request.secure, clock_.Now());
  if (!opened.ok()) {
    LogWarning("audit", {{"what", "login refused"}, {"from", request.remote}});
    return Denied(opened.status());
  }
  LogInfo("audit", {{"what", "login"}, {"by", opened->identity.name}, {"from", request.remote}});
  HttpResponse response = Ok(SessionJson(opened->identity));
  response.headers.emplace_back("Set-Cookie", opened->set_cookie);
  return response;
}

HttpResponse Api::Catalogue() const {
  Json operators = Json::array(), tags = Json::array();
  for (const Chain::Link& link : portraits_.chain().operators()) {
    Json features = Json::array();
    for (const FeatureDescription& feature : link.about->features()) {
      Json columns = Json::array();
      for (const FeatureColumn& column : feature.columns) {
        columns.push_back({{"name", column.name},
                           {"type", std::string(FeatureTypeName(column.type))},
                           {"unit", column.unit},
                           {"meaning", column.meaning}});
      }
      features.push_back({{"name", feature.name.substr(feature.name.find('.') + 1)},
                          {"type", std::string(FeatureTypeName(feature.type))},
                          {"unit", feature.unit},
                          {"meaning", feature.meaning},
                          {"columns", std::move(columns)}});
    }
    operators.push_back(
        {{"name", link.about->name()}, {"about", link.about->about()}, {"features", std::move(features)}});
  }
  if (const portrait::Tags* op = portraits_.tags().op; op != nullptr && op->rules() != nullptr) {
    for (const auto& compiled : op->rules()->rules()) {
      tags.push_back({{"tag", compiled.rule.tag}, {"about", compiled.rule.about}, {"group", compiled.rule.group}});
    }
  }
  return Ok({{"operators", std::move(operators)}, {"tags", std::move(tags)}});
}

HttpResponse Api::Stream(const Call& call) {
  if (absl::Status s = CheckParameters(call.target, {"band", "last_id"}, {"customer", "tag", "kind"}); !s.ok()) {
    return BadParameter(std::string(s.message()));
  }
  StreamFilter filter{.masked = !May(call.identity.role, Permission::kPersonal)};
  bool changes = false, alerts = false;
  for (const auto& [name, value] : call.target.query) {
    if (name == "customer") filter.customers.insert(value);
    if (name == "tag") filter.tags.insert(value);
    if (name == "kind" && value != "tag" && value != "alert") return BadParameter("kind: must be tag or alert");
    if (name == "kind") (value == "tag" ? changes : alerts) = true;
  }
  if (filter.customers.size() > kFiltersMost || filter.tags.size() > kFiltersMost) {
    return BadParameter("customer, tag: at most 100 of each");
  }
  if (changes || alerts) filter.changes = changes, filter.alerts = alerts;
  if (const std::string_view band = Parameter(call.target, "band"); !band.empty()) {
    filter.band = band == "low"      ? v1::ChurnAlert::LOW
                  : band == "medium" ? v1::ChurnAlert::MEDIUM
                  : band == "high"   ? v1::ChurnAlert::HIGH
                                     : v1::ChurnAlert::NONE;
    if (filter.band == v1::ChurnAlert::NONE) return BadParameter("band: must be low, medium or high");
  }
  const std::string_view asked = Parameter(call.target, "last_id");
  const std::string_view last = call.request.last_event_id.empty() ? asked : call.request.last_event_id;
  return {.type = "text/event-stream", .stream = hub_.Follow(std::move(filter), last)};
}

void Api::Customer(const CallPtr& call, bool timeline) {
  const std::string& id = call->target.segments[2];
  if (id.empty() || id.size() > kIdBytesMost) {
    return call->respond(ErrorResponse(400, "bad_id", "a customer's id has 1 to 1000 bytes"));
  }
  call->customer = id;
  const absl::Status parameters = timeline ? CheckParameters(call->target, {"limit", "before"})
                                           : CheckParameters(call->target, {"at", "consistency"});
  if (!parameters.ok()) return call->respond(BadParameter(std::string(parameters.message())));
  auto look = std::make_shared<LookUp>();
  look->call = call;
  look->timeline = timeline;
  look->begun = clock_.Monotonic();
  if (!ReadLimit(call->target, look->page.limit)) return call->respond(BadParameter(kLimitText));
  look->page.before = std::string(Parameter(call->target, "before"));
  if (const std::string_view at = Parameter(call->target, "at"); !at.empty()) {
    const auto time = ParseTimestamp(at, clock_.Now());
    if (!time.ok()) return call->respond(BadParameter(absl::StrCat("at: ", time.status().message())));
    look->at = *time;
  }
  const std::string_view consistency = Parameter(call->target, "consistency");
  look->committed = consistency == "committed";
  if (!consistency.empty() && consistency != "applied" && !look->committed) {
    return call->respond(BadParameter("consistency: must be applied or committed"));
  }
  if (!source_.rows_of || source_.partitions == 0) {
    return call->respond(ErrorResponse(503, "restoring", "the service is still starting"));
  }
  look->partition = PartitionOf(id, source_.partitions);
  thread_.After(look->committed ? kCommittedWithin : kLookedUpWithin, [this, look] {
    if (std::exchange(look->answered, true)) return;
    const bool seen = look->first.has_value();
    look->call->respond(seen ? ErrorResponse(504, "not_committed", "what the row shows was not committed in time")
                             : ErrorResponse(503, "busy", "the worker did not answer in time"));
  });
  Look(look);
}

void Api::Look(const std::shared_ptr<LookUp>& look) {
  if (look->answered) return;
  if (!source_.rows_of) return Seen(look, absl::UnavailableError("the service ends"));
  const auto rows = source_.rows_of(look->partition);
  if (!rows.ok()) return Seen(look, rows.status());
  (*rows)->Ask(look->partition, look->call->customer, [this, look](absl::StatusOr<RowLook> seen) {
    thread_.Run([this, look, seen = std::move(seen)]() mutable { Seen(look, std::move(seen)); });
  });
}

void Api::Seen(const std::shared_ptr<LookUp>& look, absl::StatusOr<RowLook> seen) {
  if (look->answered) return;
  if (absl::IsNotFound(seen.status())) return Elsewhere(look);
  if (!seen.ok()) {
    look->answered = true;
    return Fail(*look, seen.status());
  }
  if (look->committed) {
    // The first copy counts: a row that changes all the time would never be found at rest. Steps of another assignment
    // say nothing about it.
    if (!look->first || look->first->assignment != seen->assignment) {
      const auto header = seen->row ? ReadRowHeader(*seen->row) : RowHeader();
      look->first_number = header.ok() ? header->number : 0;
      look->first = *seen;
    }
    look->first->committed = seen->committed;
    if (seen->committed < look->first_number) {
      return thread_.After(kAskAgain, [this, look] { Look(look); });
    }
    seen = *look->first;
  }
  look->answered = true;
  HttpResponse response = Show(*look, *seen);
  metrics_.view_lookup_seconds.Observe(std::chrono::duration<double>(clock_.Monotonic() - look->begun).count());
  look->call->respond(std::move(response));
}

void Api::Fail(const LookUp& look, const absl::Status& status) {
  const std::string message(status.message());
  if (absl::IsUnavailable(status)) return look.call->respond(ErrorResponse(503, "restoring", message));
  if (absl::IsResourceExhausted(status)) return look.call->respond(ErrorResponse(503, "busy", message));
  LogError("a row could not be looked at", {{"partition", look.partition}, {"reason", message}});
  look.call->respond(ErrorResponse(500, "internal", "the row could not be read"));
}

void Api::Elsewhere(const std::shared_ptr<LookUp>& look) {
  const auto not_here = [look](std::string_view instance, std::string_view why) {
    if (std::exchange(look->answered, true)) return;
    look->call->respond(
        ErrorResponse(503, "not_here", absl::StrCat("partition ", look->partition, " is ", AbslView(why)), instance));
  };
  // One that was asked by another does not ask a third.
  if (look->call->request.forwarded || !group_) return not_here("", "not with this instance");
  group_->Want();
  const auto owner = group_->OwnerOf(look->partition);
  if (!owner || owner->instance == config_.engine.instance_id) {
    // The group is not known yet, or partitions are on their way.
    group_->Refresh();
    if (clock_.Monotonic() - look->begun > GroupMap::kKnownWithin) return not_here("", "with none that is known");
    return thread_.After(GroupMap::kAskAgain, [this, look] { Look(look); });
  }
  const std::string instance = owner->instance;
  if (owner->address.empty()) {
    return not_here(instance, absl::StrCat("with ", instance, ", whose view.address is not set"));
  }
  look->answered = true;  // by the other one
  AskProcess(*owner, *look->call, [look, instance](absl::StatusOr<HttpResponse> answer) {
    if (answer.ok()) return look->call->respond(*std::move(answer));
    look->call->respond(ErrorResponse(
        503, "not_here", absl::StrCat("partition ", look->partition, " is with ", instance, ", which does not answer"),
        instance));
  });
}

void Api::AskProcess(const GroupMap::Process& process, const Call& call,
                     std::function<void(absl::StatusOr<HttpResponse>)> done) {
  forwarder_.Ask({process.address, call.request.target, call.identity.token},
                 [this, instance = process.instance, done = std::move(done)](absl::StatusOr<HttpResponse> answer) {
                   if (!answer.ok()) {
                     LogWarning("another process of the pipeline could not be asked",
                                {{"instance", instance}, {"reason", std::string(answer.status().message())}});
                   }
                   thread_.Run([done, answer = std::move(answer)]() mutable { done(std::move(answer)); });
                 });
}

struct Api::OthersCall {
  CallPtr call;
  OthersDone done;
  Duration begun{};
  std::vector<OtherAnswer> answers;
  size_t waiting = 0;  // for so many others
};

void Api::AskOthers(const CallPtr& call, OthersDone done) {
  AskOthers(std::make_shared<OthersCall>(OthersCall{call, std::move(done), clock_.Monotonic(), {}, 0}));
}

void Api::AskOthers(const std::shared_ptr<OthersCall>& asked) {
  // One that was asked by another does not ask a third, and one that has none yet does not ask the group (group_map.h).
  if (!HasAShare() || asked->call->request.forwarded || !group_) return asked->done({});
  group_->Want();
  const auto processes = group_->Processes();
  if (processes.empty() && clock_.Monotonic() - asked->begun < GroupMap::kKnownWithin) {
    return thread_.After(GroupMap::kAskAgain, [this, asked] { AskOthers(asked); });
  }
  const auto answered = [asked] {
    if (--asked->waiting == 0) asked->done(std::move(asked->answers));
  };
  ++asked->waiting;  // until all are asked
  for (const GroupMap::Process& process : processes) {
    if (process.instance == config_.engine.instance_id || process.partitions.empty() || process.address.empty())
      continue;
    ++asked->waiting;
    AskProcess(process, *asked->call,
               [asked, answered, instance = process.instance](absl::StatusOr<HttpResponse> answer) {
                 if (answer.ok() && answer->status == 200) {
                   asked->answers.push_back({instance, std::move(answer->body)});
                 } else if (answer.ok()) {
                   LogWarning("another process of the pipeline did not answer",
                              {{"instance", instance}, {"status", answer->status}});
                 }
                 answered();
               });
  }
  answered();
}

HttpResponse Api::Show(const LookUp& look, const RowLook& seen) {
  const auto unknown = [] { return ErrorResponse(404, "unknown_customer", "nothing is known of this customer"); };
  if (!seen.row) return unknown();
  const auto row = portraits_.Read(*seen.row);
  if (!row.ok()) {
    LogError("a row could not be read",
             {{"partition", look.partition}, {"reason", std::string(row.status().message())}});
    return ErrorResponse(500, "internal", "the row could not be read");
  }
  if (!row->has_value()) return unknown();
  const std::string& customer = look.call->customer;
  const Timestamp as_of = portraits_.AsOf((*row)->state, clock_.Now());
  const bool masked = !May(look.call->identity.role, Permission::kPersonal);
  Json out = {{"customer", customer},
              {"seen",
               {{"row", (*row)->number},
                {"applied", seen.applied},
                {"committed", seen.committed},
                {"partition", look.partition},
                {"instance", config_.engine.instance_id},
                {"forwarded", look.call->request.forwarded},
                {"as_of", TimeText(as_of)},
                {"last_change", TimeText((*row)->state.time)}}}};
  if (!look.timeline && !look.at) {
    out.update(portraits_.Customer(**row, as_of, masked));
    return Ok(out);
  }
  const auto told = look.at ? Past(portraits_, **row, *look.at, as_of, hub_.Of(customer), masked)
                            : Timeline(portraits_, **row, as_of, hub_.Of(customer), look.page, masked);
  const std::string message(told.status().message());
  if (absl::IsNotFound(told.status())) return ErrorResponse(404, "unknown_customer", message);
  if (!told.ok()) return BadParameter(message);
  out.update(*told);
  return Ok(out);
}

}  // namespace portrait::view
