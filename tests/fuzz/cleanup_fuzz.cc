// Content on its way into the queue: any division of the same bytes gives the same calls of the sink, nothing
// follows a verdict, and a message that no check touches is not changed beyond what is documented. The first
// line of the input says how the message is divided: each byte is the size of a chunk.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "libconf/main_cf_document.h"
#include "tests/fuzz/property.h"
#include "tests/tools/mta/cleanup_record.h"

namespace {

using mta::Cleanup;
using mta::CleanupRecorder;

constexpr const char* kChecks =
    "header_checks = pcre:{{/^x-bcc/ bcc a@b} {/^x-discard/ discard} {/^x-filter/ filter a:b} {/^x-hold/ "
    "hold} "
    "{/^x-ignore/ ignore} {/^x-pass/ pass} {/^x-prepend/ prepend A: b} {/^x-redirect/ redirect a@b} "
    "{/^x-reject/ reject 4.7.1 no} {/^x-replace/ replace Bcc: c} {/^x-bad/ foo}}\n"
    "body_checks = $header_checks\nbody_checks_size_limit = 30\n";

constexpr std::array<const char*, 4> kMainCf = {
    "",
    "strict_8bitmime = yes\nstrict_mime_encoding_domain = yes\nmime_nesting_limit = 1\nheader_size_limit = "
    "60\n",
    "message_strip_characters = |\\0\nundisclosed_recipients_header = To: u:;\n",
    "message_reject_characters = ~\nhopcount_limit = 2\ndisable_mime_input_processing = yes\n",
};

/// Less than main.cf allows, so that short inputs meet it.
constexpr std::size_t kLineLength = 40;

/// A configuration, opened.
class Configuration {
 public:
  explicit Configuration(const std::string& main_cf)
      : document_(libconf::MainCfDocument::parse("line_length_limit = 512\n" + main_cf, "main.cf")),
        settings_(&document_, host_without_interfaces()) {
    auto options = mta::cleanup_options(settings_);
    auto checks = mta::ContentChecks::open(settings_, {.settings = settings_, .warnings = discard_});
    require(options && checks, "the configuration is sound");
    options_ = std::move(*options);
    options_.mime.line_length_limit = kLineLength;
    checks_ = std::move(*checks);
  }

  /// `sizes` are those of the chunks; empty: one chunk.
  std::vector<std::string> run(std::string_view message, std::string_view sizes) {
    const mta::MessageContext context{.queue_id = "ID", .sender = "s@example.com"};
    CleanupRecorder recorder(kLineLength);
    Cleanup cleanup(options_, checks_, context, nullptr, recorder);
    for (std::size_t i = 0; !message.empty(); ++i) {
      const std::size_t wanted =
          sizes.empty() ? message.size() : static_cast<unsigned char>(sizes[i % sizes.size()]);
      const std::size_t count = std::clamp<std::size_t>(wanted, 1, message.size());
      cleanup.feed(message.substr(0, count));
      message.remove_prefix(count);
    }
    cleanup.finish();
    return recorder.events;
  }

 private:
  libconf::MainCfDocument document_;
  libconf::Settings settings_;
  libconf::DiagnosticDiscard discard_;
  mta::CleanupOptions options_;
  mta::ContentChecks checks_;
};

bool is_verdict(const std::string& event) { return event.starts_with("reject ") || event == "discard"; }

void check(Configuration& configuration, std::string_view message, std::string_view sizes) {
  const auto events = configuration.run(message, "");
  require(configuration.run(message, sizes) == events, "chunks do not matter");
  const auto verdict = std::find_if(events.begin(), events.end(), is_verdict);
  require(verdict == events.end() || verdict + 1 == events.end(), "nothing follows a verdict");
  const auto is_too_long = [](const std::string& event) {
    return (event.starts_with("N ") || event.starts_with("L ")) && event.size() > 2 + kLineLength;
  };
  require(std::none_of(events.begin(), events.end(), is_too_long), "no piece is longer than the limit");
}

/// Opened once.
std::vector<std::unique_ptr<Configuration>>& configurations() {
  static std::vector<std::unique_ptr<Configuration>> all = [] {
    std::vector<std::unique_ptr<Configuration>> out;
    for (const char* main_cf : kMainCf)
      for (const char* checks : {"", kChecks})
        out.push_back(std::make_unique<Configuration>(std::string(main_cf) + checks));
    return out;
  }();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view message = as_text(data, size);
  const std::string_view sizes = take_first_line(message);
  for (const auto& configuration : configurations()) check(*configuration, message, sizes);
  return 0;
}
