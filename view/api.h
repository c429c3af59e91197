// The API: view/openapi.yaml says what there is.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/chain.h"
#include "pipeline/config/config.h"
#include "pipeline/engine.h"
#include "pipeline/metrics.h"
#include "pipeline/ports/clock.h"
#include "view/access.h"
#include "view/forwarder.h"
#include "view/group_map.h"
#include "view/http_message.h"
#include "view/overview.h"
#include "view/page.h"
#include "view/portrait.h"
#include "view/result_hub.h"
#include "view/tag_follower.h"
#include "view/web_server.h"

namespace portrait::view {

// Where rows are looked at: the engine, or what stands for it in a test.
struct RowSource {
  std::function<absl::StatusOr<RowAccess*>(int32_t partition)> rows_of;
  std::function<std::map<int32_t, uint64_t>()> partitions_here;
  std::function<std::shared_ptr<const Chain>()> rules_in_force;  // the chain with them
  int32_t partitions = 0;
};

// Of another process of the pipeline.
struct OtherAnswer {
  std::string instance;
  std::string body;
};

// On the server's thread. Everything given must outlive it.
class Api final : public HttpHandler {
 public:
  struct Parts {
    const Config& config;
    Portraits& portraits;
    Metrics& metrics;
    const Clock& clock;
    ResultHub& hub;
    TagFollower& tags;
    Overview& overview;
    ServerThread& thread;
  };
  Api(const Parts& parts, Page page);

  void Handle(HttpRequest request, std::function<void(HttpResponse)> respond) override;

  // Until the first call, and after one without a function, rows are told to be not there yet.
  void SetSource(RowSource source) { source_ = std::move(source); }
  void SetGroup(std::shared_ptr<GroupMap> group) { group_ = std::move(group); }
  // Some partitions are here, and others are not: with another process, or on their way. One that has none yet may be
  // all there is.
  bool HasAShare() const;
  // Other instances are not asked any more. From any thread.
  void StopForwarding() { forwarder_.Stop(); }

 private:
  using Respond = std::function<void(HttpResponse)>;
  // A request under way.
  struct Call {
    HttpRequest request;
    HttpTarget target;
    Identity identity;
    std::string_view what;  // for metrics
    Respond respond;
    std::string customer;
  };
  using CallPtr = std::shared_ptr<Call>;

  void Route(const CallPtr& call);
  HttpResponse Login(const HttpRequest& request);
  HttpResponse Catalogue() const;
  HttpResponse Stream(const Call& call);
  void Customer(const CallPtr& call, bool timeline);
  // Who has a tag: here, and with the other processes.
  void Holders(const CallPtr& call);
  struct HolderCall;
  void Merge(const std::shared_ptr<HolderCall>& asked);
  std::vector<int32_t> PartitionsHere() const;
  // How all processes do, or by `scope=instance` this one alone.
  void ShowOverview(const CallPtr& call);
  // Asks that process the same. `done` is called on the server's thread; what goes wrong on the way is logged.
  void AskProcess(const GroupMap::Process& process, const Call& call,
                  std::function<void(absl::StatusOr<HttpResponse>)> done);
  // Asks all other processes of the pipeline the same, where there are others and nobody of them asks; at once `done`
  // where not. It gets what came with status 200; what did not is logged.
  using OthersDone = std::function<void(std::vector<OtherAnswer>)>;
  void AskOthers(const CallPtr& call, OthersDone done);
  struct OthersCall;
  void AskOthers(const std::shared_ptr<OthersCall>& asked);
  // Asks for the row, and again until it is committed where that is asked for.
  struct LookUp;
  void Look(const std::shared_ptr<LookUp>& look);
  void Seen(const std::shared_ptr<LookUp>& look, absl::StatusOr<RowLook> seen);
  void Fail(const LookUp& look, const absl::Status& status);
  // The customer is with another instance, which is asked.
  void Elsewhere(const std::shared_ptr<LookUp>& look);
  HttpResponse Show(const LookUp& look, const RowLook& seen);

  const Config& config_;
  Portraits& portraits_;
  Metrics& metrics_;
  const Clock& clock_;
  ResultHub& hub_;
  TagFollower& tags_;
  Overview& overview_;
  ServerThread& thread_;
  const Page page_;
  Access access_;
  RowSource source_;
  std::shared_ptr<GroupMap> group_;
  Forwarder forwarder_;  // last: it ends before the rest goes
};

}  // namespace portrait::view
