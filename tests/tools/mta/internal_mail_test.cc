#include "tools/mta/delivery/internal_mail.h"

#include <gtest/gtest.h>

namespace {

using mta::forward_notify;

// What Postfix's local(8) wrote for the recipient of an alias; RFC 3461, section 5.2.7.2.
TEST(InternalMail, ForwardsAreNotToldOfSuccessAgain) {
  EXPECT_EQ(forward_notify(0), 0);
  EXPECT_EQ(forward_notify(mta::kNotifyNever), mta::kNotifyNever);
  EXPECT_EQ(forward_notify(mta::kNotifySuccess), mta::kNotifyNever);
  EXPECT_EQ(forward_notify(mta::kNotifySuccess | mta::kNotifyDelay), mta::kNotifyDelay);
  EXPECT_EQ(forward_notify(mta::kNotifyFailure | mta::kNotifyDelay), mta::kNotifyFailure | mta::kNotifyDelay);
}

TEST(InternalMail, AForwardHasWhatIsKnownOfTheMessage) {
  mta::DeliveryRequest request;
  request.queue_id = "4A1B2C3D4E";
  request.sender = "ann@example.org";
  request.envelope_id = "abc";
  request.return_flags = mta::kReturnHeaders;
  request.send_options = mta::kUtf8Requested | mta::kUtf8InHeaders;
  request.origin.client_name = "client.example";
  request.origin.rewrite_context = "remote";
  const mta::InternalEnvelope envelope = mta::forward_envelope(request);
  EXPECT_EQ(envelope.sender, "ann@example.org");
  EXPECT_EQ(envelope.envelope_id, "abc");
  EXPECT_EQ(envelope.return_flags, mta::kReturnHeaders);
  EXPECT_TRUE(envelope.is_utf8);
  EXPECT_TRUE(envelope.is_forwarded);
  EXPECT_EQ(envelope.context, mta::RewriteContext::kRemote);
  EXPECT_EQ(envelope.mail_class, mta::InternalMailClass::kUninspected);
  EXPECT_EQ(envelope.attributes.front().second, "client.example");
}

}  // namespace
