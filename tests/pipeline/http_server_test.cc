#include "pipeline/http_server.h"

#include <httplib.h>

#include <catch2/catch_test_macros.hpp>

namespace portrait {
namespace {

struct Served {
  Metrics metrics;
  Health health;
  std::unique_ptr<HttpServer> server = HttpServer::Start({.host = "127.0.0.1", .port = 0}, metrics, health).value();

  // "200 body"
  std::string Get(const std::string& path) {
    httplib::Client client("127.0.0.1", server->port());
    const auto result = client.Get(path);
    return result ? std::to_string(result->status) + " " + result->body : "no answer";
  }
};

TEST_CASE("readiness says what is waited for") {
  Served served;
  CHECK(served.Get("/readyz") == "503 starting\n");
  served.health.Wait("worker 1", "restoring, 43 %");
  served.health.Wait("worker 2", "waiting for brokers");
  served.health.Started();
  CHECK(served.Get("/readyz") == "503 worker 1: restoring, 43 %\nworker 2: waiting for brokers\n");
  CHECK(served.Get("/healthz") == "200 alive\n");
  served.health.Ready("worker 1");
  served.health.Ready("worker 2");
  CHECK(served.Get("/readyz") == "200 ready\n");
}

TEST_CASE("a process that cannot go on is neither alive nor ready, and the first reason stays") {
  Served served;
  served.health.Started();
  served.health.Fail("the disk is full");
  served.health.Fail("something else");
  CHECK(served.Get("/healthz") == "503 the disk is full\n");
  CHECK(served.Get("/readyz") == "503 the disk is full\n");
}

TEST_CASE("metrics are served as Prometheus reads them") {
  Served served;
  served.metrics.steps.Increment(5);
  httplib::Client client("127.0.0.1", served.server->port());
  const auto result = client.Get("/metrics");
  REQUIRE(result);
  CHECK(result->get_header_value("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(result->body.find("portrait_steps_total 5\n") != std::string::npos);
}

TEST_CASE("what is not there is not found, and nothing can be posted") {
  Served served;
  CHECK(served.Get("/customers").starts_with("404"));
  httplib::Client client("127.0.0.1", served.server->port());
  const auto result = client.Post("/metrics", "x", "text/plain");
  REQUIRE(result);
  CHECK(result->status == 404);
}

TEST_CASE("a port in use is refused with the address") {
  Served served;
  const int port = served.server->port();
  const auto second = HttpServer::Start({.host = "127.0.0.1", .port = port}, served.metrics, served.health);
  CHECK(second.status().message() ==
        "cannot listen for HTTP (http.listen): Address already in use: 127.0.0.1:" + std::to_string(port));
}

TEST_CASE("an address that is not this machine's is refused") {
  Metrics metrics;
  Health health;
  CHECK_FALSE(HttpServer::Start({.host = "192.0.2.1", .port = 0}, metrics, health).ok());
  CHECK_FALSE(HttpServer::Start({.host = "not an address", .port = 0}, metrics, health).ok());
}

TEST_CASE("a port is free again once the server has ended") {
  Served served;
  const int port = served.server->port();
  served.server.reset();
  CHECK(HttpServer::Start({.host = "127.0.0.1", .port = port}, served.metrics, served.health).ok());
}

}  // namespace
}  // namespace portrait
