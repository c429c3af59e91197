#include "view/view.h"

#include <future>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/log.h"
#include "pipeline/ports/clock.h"
#include "view/api.h"
#include "view/other_results.h"
#include "view/tag_follower.h"
#include "view/tag_index.h"
#include "view/web_server.h"

namespace portrait {
namespace {

using namespace view;

// Members are destroyed from the last to the first; the thread is stopped before all of them.
class View final : public Companion {
 public:
  View(const CompanionContext& context, Page page, std::unique_ptr<TagIndex> index)
      : portraits_(context.chain, context.config),
        hub_({.instance = context.config.engine.instance_id, .bytes = context.config.view.recent_bytes}, thread_,
             clock_),
        others_(std::make_unique<OtherResults>(context.chain, context.config, hub_)),
        tags_(context.chain, context.config, clock_, std::move(index)),
        listeners_({&hub_, &tags_}),
        overview_(context.config, portraits_, context.metrics, context.health, clock_, hub_, tags_),
        api_({context.config, portraits_, context.metrics, clock_, hub_, tags_, overview_, thread_}, std::move(page)) {}
  ~View() override {
    api_.StopForwarding();
    others_.reset();
    thread_.Stop();
  }

  absl::Status Start(const CompanionContext& context) {
    auto server = WebServer::Start(context.config.view, {}, thread_, api_, context.metrics);
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    thread_.After(Overview::kInterval, [this] { Sample(); });
    thread_.After(kWatchInterval, [this] { WatchPartitions(); });
    thread_.Start();
    return absl::OkStatus();
  }
  int port() const { return server_->port(); }

  ResultListener* results() override { return &listeners_; }
  void Attach(Engine& engine, ChainCatalog& chains, int32_t partitions,
              std::unique_ptr<GroupMembers> members) override {
    auto group = std::make_shared<GroupMap>(std::move(members));
    thread_.Run([this, &engine, &chains, partitions, group = std::move(group)] {
      api_.SetSource({.rows_of = [&engine](int32_t partition) { return engine.RowsOf(partition); },
                      .partitions_here = [&engine] { return engine.Partitions(); },
                      .rules_in_force = [&chains] { return chains.current()->chain; },
                      .partitions = partitions});
      api_.SetGroup(group);
    });
    tags_.Attach({.partitions = [&engine] { return engine.Partitions(); },
                  .rows_of = [&engine](int32_t partition) { return engine.RowsOf(partition); },
                  .chain = [&chains] { return chains.current()->chain; }});
  }
  void Detach() override {
    // Nothing asks the engine once this has run.
    std::promise<void> done;
    thread_.Run([&] {
      api_.SetSource({});
      api_.SetGroup(nullptr);
      done.set_value();
    });
    done.get_future().wait();
    tags_.Detach();
    api_.StopForwarding();
  }

 private:
  void Sample() {
    overview_.Sample();
    thread_.After(Overview::kInterval, [this] { Sample(); });
  }

  // Partitions that are on their way are nowhere for a moment. The group is not asked: see group_map.h.
  void WatchPartitions() {
    missing_for_ = api_.HasAShare() ? missing_for_ + kWatchInterval : Duration::zero();
    others_->Follow(missing_for_ >= kMissingFor);
    thread_.After(kWatchInterval, [this] { WatchPartitions(); });
  }

  static constexpr Duration kWatchInterval = seconds(1), kMissingFor = seconds(3);

  SystemClock clock_;
  ServerThread thread_;
  Portraits portraits_;
  ResultHub hub_;
  std::unique_ptr<OtherResults> others_;
  Duration missing_for_{};  // partitions, while others are here
  TagFollower tags_;
  ResultListeners listeners_;
  Overview overview_;
  Api api_;
  std::unique_ptr<WebServer> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Companion>> StartView(const CompanionContext& context) {
  if (!context.config.view.listen) return std::unique_ptr<Companion>();
  auto page = Page::Load(context.config.view.page);
  if (!page.ok()) return page.status();
  auto index = TagIndex::Open(context.config.engine.state_dir / context.config.engine.application_id /
                              ("view-tags-" + context.config.engine.instance_id));
  if (!index.ok()) return index.status();
  auto view = std::make_unique<View>(context, *std::move(page), *std::move(index));
  if (absl::Status s = view->Start(context); !s.ok()) return s;
  LogInfo("the view is served", {{"port", view->port()}, {"tokens", context.config.view.tokens.size()}});
  return view;
}

int ViewPort(const Companion& view) { return dynamic_cast<const View&>(view).port(); }

}  // namespace portrait
