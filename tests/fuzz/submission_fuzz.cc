// Files in maildrop/ of any bytes: the reader comes to an end, how they are divided changes nothing, and what
// it accepts is what the rules allow.
#include <optional>
#include <string>

#include "tests/fuzz/property.h"
#include "tools/mta/submission/submission_reader.h"

namespace {

constexpr std::size_t kLineLength = 2048;

/// What was told, as text.
class Recorder final : public mta::SubmissionSink {
 public:
  libconf::Result<void> envelope(mta::SubmissionEnvelope envelope) override {
    require(!has_envelope, "there is one envelope");
    has_envelope = true;
    require(envelope.sender.has_value(), "there is a sender");
    require(envelope.verp_delimiters.empty() || envelope.verp_delimiters.size() == 2,
            "VERP has two delimiters");
    text += *envelope.sender + '\n' + envelope.full_name + '\n' + envelope.envelope_id + '\n';
    for (mta::QueueRecipient& each : envelope.recipients) add(each);
    return {};
  }
  libconf::Result<void> line(std::string_view line, bool is_continued) override {
    require(has_envelope && line.size() <= kLineLength, "lines follow the envelope, and have a limit");
    text += line;
    text += is_continued ? '|' : '\n';
    return {};
  }
  libconf::Result<void> recipient(mta::QueueRecipient recipient) override {
    require(has_envelope, "late recipients are late");
    add(recipient);
    return {};
  }

  std::string text;
  bool has_envelope = false;

 private:
  void add(const mta::QueueRecipient& recipient) {
    require(recipient.notify >= 0 && recipient.notify < 16, "NOTIFY has four flags");
    require((recipient.notify & mta::kNotifyNever) == 0 || recipient.notify == mta::kNotifyNever,
            "NEVER stands alone");
    text += recipient.address + ' ' + std::to_string(recipient.notify) + ' ' + recipient.dsn_original + '\n';
  }
};

/// The reason why the bytes are refused; nothing when they are not.
std::optional<std::string> read(std::string_view bytes, std::size_t portion, Recorder& recorder) {
  mta::SubmissionReader reader(kLineLength, recorder);
  libconf::Result<void> done;
  for (; done && !bytes.empty(); bytes.remove_prefix(std::min(portion, bytes.size())))
    done = reader.feed(bytes.substr(0, portion));
  if (done) done = reader.finish();
  if (done) return std::nullopt;
  require(done.error().kind == libconf::ErrorKind::kDataCorrupt, "memory can be read");
  return done.error().message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Recorder whole;
  Recorder divided;
  const std::optional<std::string> reason = read(as_text(data, size), size + 1, whole);
  require(read(as_text(data, size), 3, divided) == reason, "the division changes no reason");
  require(whole.text == divided.text, "the division changes nothing that is told");
  require(reason || whole.has_envelope, "what is accepted has an envelope");
  return 0;
}
