#include "libmaps/base64.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/libconf/random_bytes.h"

namespace libmaps {
namespace {

// RFC 4648, section 10.
constexpr std::pair<std::string_view, std::string_view> kVectors[] = {{"", ""},
                                                                      {"f", "Zg=="},
                                                                      {"fo", "Zm8="},
                                                                      {"foo", "Zm9v"},
                                                                      {"foob", "Zm9vYg=="},
                                                                      {"fooba", "Zm9vYmE="},
                                                                      {"foobar", "Zm9vYmFy"}};

TEST(Base64, MatchesTheVectorsOfTheRfc) {
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
}

TEST(Base64, RefusesWhatIsNotBase64) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Z", "Zg==Zg==", "Z===", "====", "Zm9\n", "not_base64!", "=m9v"})
    EXPECT_FALSE(decode_base64(text)) << text;
}

TEST(Base64, ReadsBackWhatItWrites) {
  std::mt19937 random(1);
  for (int round = 0; round < 1000; ++round) {
    const std::string bytes = libconf::random_bytes(random, 100);
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  }
}

}  // namespace
}  // namespace libmaps
