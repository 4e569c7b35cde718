// Filters behind sockets: a server that answers as told, and the session that is made up for mail without
// one.
#include "tools/mta/content/milter_client.h"

#include <gtest/gtest.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <map>
#include <thread>

#include "libconf/text.h"
#include "tests/tools/mta/coroutine.h"
#include "tools/mta/smtp/milter_inspection.h"
#include "tools/mta/smtp/non_smtp_milters.h"

namespace mta {
namespace {

using libconf::concat;
using Strings = std::vector<std::string>;

std::string packet(std::string_view text) {
  const auto size = static_cast<char>(text.size());
  return concat(std::string_view("\0\0\0", 3), std::string_view(&size, 1), text);
}

/// Says "go on" to every command but those in `answers`; an empty answer hangs up. Serves one connection.
class FilterServer {
 public:
  explicit FilterServer(std::map<char, std::string> answers)
      : answers_(std::move(answers)), acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
    endpoint = concat("inet:127.0.0.1:", std::to_string(acceptor_.local_endpoint().port()));
    thread_ = std::thread([this] { serve(); });
  }
  ~FilterServer() {
    if (thread_.joinable()) thread_.join();
  }

  /// The codes of the commands that came, when the client is gone.
  std::string commands() {
    thread_.join();
    return commands_;
  }

  std::string endpoint;

 private:
  void serve() {
    asio::ip::tcp::socket socket(io_);
    asio::error_code error;
    acceptor_.accept(socket, error);
    for (;;) {
      std::array<unsigned char, 4> length{};
      asio::read(socket, asio::buffer(length), error);
      if (error) return;
      std::string data(static_cast<std::size_t>(length[2] << 8 | length[3]), '\0');
      asio::read(socket, asio::buffer(data), error);
      if (error) return;
      commands_ += data[0];
      std::string answer = packet("c");
      if (data[0] == 'O') answer = packet(std::string_view("O\0\0\0\6\0\0\1\xFF\0\0\0\0", 13));
      if (data[0] == 'D' || data[0] == 'A' || data[0] == 'Q') continue;
      if (const auto found = answers_.find(data[0]); found != answers_.end()) answer = found->second;
      if (answer.empty()) return;
      asio::write(socket, asio::buffer(answer), error);
    }
  }

  std::map<char, std::string> answers_;
  std::string commands_;
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

class NonSmtpMiltersTest : public testing::Test {
 protected:
  EnvelopeVerdict tell(const std::string& endpoint) {
    MilterOptions options{.endpoint = endpoint, .place = *parse_server_place(endpoint, {})};
    options.connect_timeout = options.command_timeout = options.content_timeout = std::chrono::seconds(20);
    const MilterSettings settings{.filters = {options}};
    asio::io_context io;
    NonSmtpMilters milters(
        io.get_executor(), settings, [this](libconf::Severity severity, std::string_view text) {
          log.push_back(concat(severity == libconf::Severity::kWarning ? "warning: " : "", text));
        });
    return run(io, milters.tell_envelope("ID", "ann@e.x", {"bob@e.x", "carl@e.x"}));
  }

  Strings log;
};

TEST_F(NonSmtpMiltersTest, ASessionIsMadeUp) {
  FilterServer server({});
  const EnvelopeVerdict verdict = tell(server.endpoint);
  EXPECT_EQ(server.commands(), "ODCDHDMDRDRDTAQ");
  EXPECT_FALSE(verdict.refusal || verdict.hold || verdict.discard);
  EXPECT_EQ(log, Strings{});
}

TEST_F(NonSmtpMiltersTest, ARefusalIsLogged) {
  FilterServer server({{'M', packet(std::string_view("y550 5.7.9 go away\0", 19))}});
  const EnvelopeVerdict verdict = tell(server.endpoint);
  ASSERT_TRUE(verdict.refusal);
  EXPECT_EQ(verdict.refusal->code, 550);
  EXPECT_EQ(verdict.refusal->status, "5.7.9");
  EXPECT_EQ(verdict.refusal->text, "go away");
  EXPECT_EQ(log, Strings{"ID: milter-reject: MAIL from localhost[127.0.0.1]: 5.7.9 go away; from=<ann@e.x>"});
}

TEST_F(NonSmtpMiltersTest, ARecipientMustNotBeRefused) {
  FilterServer server({{'R', packet("r")}});
  const EnvelopeVerdict verdict = tell(server.endpoint);
  ASSERT_TRUE(verdict.refusal);
  EXPECT_EQ(verdict.refusal->code, 451);
  EXPECT_EQ(log, (Strings{"ID: milter-reject: RCPT from localhost[127.0.0.1]: 5.7.1 Command rejected; "
                          "from=<ann@e.x> to=<bob@e.x>",
                          "warning: ID: milter configuration error: can't reject recipient in non-smtpd(8) "
                          "submission",
                          "warning: ID: message not accepted, try again later"}));
}

TEST_F(NonSmtpMiltersTest, AFilterThatIsAway) {
  const EnvelopeVerdict verdict = tell("unix:/no/such/socket");
  ASSERT_TRUE(verdict.refusal);
  EXPECT_EQ(verdict.refusal->code, 451);
  EXPECT_EQ(log[0], "warning: connect to Milter service unix:/no/such/socket: No such file or directory");
}

TEST_F(NonSmtpMiltersTest, AFilterThatHangsUp) {
  FilterServer server({{'H', ""}});
  const EnvelopeVerdict verdict = tell(server.endpoint);
  ASSERT_TRUE(verdict.refusal);
  EXPECT_EQ(log[0], concat("warning: milter ", server.endpoint,
                           ": can't read SMFIC_HELO reply packet header: Application error"));
}

TEST(RejectionOf, TakesRepliesApart) {
  const struct {
    const char* reply;
    int code;
    const char* status;
    const char* text;
  } cases[] = {
      {"550 5.7.1 no", 550, "5.7.1", "no"},
      {"451 later", 451, "", "later"},
      {"554", 554, "", ""},
      {"554-5.1.1 one\r\n554 5.1.2 two", 554, "", "5.1.1 one\n5.1.2 two"},
  };
  for (const auto& each : cases) {
    const Rejection rejection = rejection_of(each.reply);
    EXPECT_EQ(rejection.code, each.code) << each.reply;
    EXPECT_EQ(rejection.status, each.status) << each.reply;
    EXPECT_EQ(rejection.text, each.text) << each.reply;
  }
}

TEST(ServerPlace, IsReadAsMainCfHasIt) {
  const auto shown = [](std::string_view text, bool is_confined = false) {
    const std::optional<ServerPlace> place =
        parse_server_place(text, {.queue_directory = "/queue", .is_confined = is_confined});
    return place ? concat(place->path.root, place->path.path, "|", place->host, "|", place->port) : "(none)";
  };
  EXPECT_EQ(shown("inet:localhost:8891"), "|localhost|8891");
  EXPECT_EQ(shown("127.0.0.1:25"), "|127.0.0.1|25");
  EXPECT_EQ(shown("inet:[::1]:25"), "|::1|25");
  EXPECT_EQ(shown("10025"), "||10025");
  EXPECT_EQ(shown("unix:/run/x"), "/run/x||");
  EXPECT_EQ(shown("local:x"), "/queue/x||");
  EXPECT_EQ(shown("unix:/run/x", true), "/queue/run/x||") << "the service has another root";
  EXPECT_EQ(shown("unix:"), "(none)");
  EXPECT_EQ(shown("host:"), "(none)");
  EXPECT_EQ(shown(concat("unix:/", std::string(200, 'x'))), "(none)") << "the system has no such long names";
}

}  // namespace
}  // namespace mta
