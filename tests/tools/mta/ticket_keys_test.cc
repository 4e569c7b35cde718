#include "tools/mta/tls/ticket_keys.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

TEST(TicketKeys, SealForOneLifetimeAndOpenForAnother) {
  std::time_t now = 1000;
  TicketKeys keys(EVP_aes_256_cbc(), std::chrono::seconds(100), [&] { return now; });
  const auto first = keys.sealing_key();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->sealing_ends, 1100);
  now = 1099;
  EXPECT_EQ(keys.sealing_key()->name, first->name);
  EXPECT_FALSE(keys.is_retiring(*first));
  now = 1100;
  const auto second = keys.sealing_key();
  ASSERT_TRUE(second);
  EXPECT_NE(second->name, first->name);
  EXPECT_NE(second->encryption, first->encryption);
  ASSERT_TRUE(keys.opening_key(first->name.data()));
  EXPECT_EQ(keys.opening_key(first->name.data())->encryption, first->encryption);
  EXPECT_TRUE(keys.is_retiring(*first));
  now = 1199;
  EXPECT_TRUE(keys.opening_key(first->name.data()));
  now = 1200;
  EXPECT_FALSE(keys.opening_key(first->name.data()));
  EXPECT_TRUE(keys.opening_key(second->name.data()));
}

TEST(TicketKeys, StrangersHaveNoKey) {
  TicketKeys keys(EVP_aes_256_cbc(), std::chrono::seconds(100), [] { return std::time_t{1}; });
  ASSERT_TRUE(keys.sealing_key());
  const TicketKeys::Key stranger;
  EXPECT_FALSE(keys.opening_key(stranger.name.data()));
}

}  // namespace
}  // namespace mta
