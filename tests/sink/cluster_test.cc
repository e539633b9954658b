#include "sink/cluster.h"

#include <gtest/gtest.h>

namespace tickbridge::sink {
namespace {

TEST(Cluster, ReadsVersionsOutOfTheLibrarysLog) {
  std::map<std::string, ApiVersions> heard;
  take_version_line("[thrd:h:9092/1]: h:9092/1:   ApiKey Produce (0) Versions 3..13", heard);
  take_version_line("[thrd:h:9092/1]: h:9092/1:   ApiKey Unknown-77? (77) Versions 0..1", heard);
  take_version_line(
      "[thrd:sasl_ssl://k:9093/bootstrap]: sasl_ssl://k:9093/bootstrap:   ApiKey Fetch (1) Versions 0..18", heard);
  EXPECT_EQ(heard, (std::map<std::string, ApiVersions>{{"h:9092", {{0, 13}, {77, 1}}}, {"k:9093", {{1, 18}}}}));
}

TEST(Cluster, PassesOverLinesThatSayNoVersion) {
  std::map<std::string, ApiVersions> heard;
  for (const char* const line :
       {"", "ApiKey", "]: ApiKey ", "[thrd:h:1/1]: h:1/1: Broker API support:", "ApiKey Produce (0) Versions 3..13]: ",
        "[t]: h:1/1: ApiKey Produce (x) Versions 0..y"}) {
    take_version_line(line, heard);
  }
  EXPECT_TRUE(heard.empty());
}

TEST(Cluster, KnowsAReleaseByTheNewestRequestVersionsOfIt) {
  EXPECT_EQ(kafka_version({{0, 14}, {1, 18}, {24, 5}}).number, 401);
  EXPECT_EQ(kafka_version({{0, 12}, {1, 17}, {24, 5}}).number, 400);
  EXPECT_EQ(kafka_version({{0, 11}, {1, 16}, {24, 5}}).number, 308);
  EXPECT_EQ(kafka_version({{0, 9}, {1, 15}, {24, 4}}).number, 306);
  EXPECT_EQ(kafka_version({{0, 9}, {1, 13}, {24, 3}}).name, "3.1 to 3.4");
  EXPECT_EQ(kafka_version({{0, 7}, {1, 10}}).name, "before 2.3");
}

}  // namespace
}  // namespace tickbridge::sink
