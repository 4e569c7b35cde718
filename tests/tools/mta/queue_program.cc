// A program for the tests of the queue that need one: files for stock tools to read, a writer to be killed,
// and work to be measured.
//
//   queue_program write QUEUE_DIRECTORY FIRST COUNT SESSIONS THREADS FORM
//       Puts COUNT messages, numbered from FIRST, into incoming/, from so many sessions at a time that each
//       wait for their message; prints "NUMBER ID" when one is acknowledged. FORM: a list of named, long,
//       hashed, kept; or plain.
//   queue_program sweep QUEUE_DIRECTORY
//       Removes what is not complete. Prints how many files that were.
//   queue_program list FILE
//       The records as `postcat -od` lists them: offset, or that of a pointer to it; type in decimal; and the
//       text.
//   queue_program message FILE
//       Checks that the file is whole. Prints sender, number of recipients, and the content.
//   queue_program numbers FILE...
//       Checks that each file is one of write's, whole and under its own name. Prints its number, or why not.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "libconf/handle.h"
#include "tools/mta/queue/group_commit.h"
#include "tools/mta/queue/queue_file_writer.h"

namespace {

using mta::RecordType;

constexpr std::size_t kLineLengthLimit = 2048;

mta::QueueTime now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

[[noreturn]] void fail(const libconf::Error& error) {
  std::cerr << error.message << '\n';
  std::_Exit(1);
}

/// Of different sizes, and some larger than the writer's buffer.
std::string body_of(int number) {
  std::string body;
  const int lines = number % 50 == 0 ? 3000 : number % 100;
  for (int i = 0; i < lines; ++i)
    body += "line " + std::to_string(i) + " of message " + std::to_string(number) + '\n';
  return body + std::string(static_cast<std::size_t>(number % 5000), 'x') + '\n';
}

void write_message(mta::QueueFile& file, int number) {
  mta::QueueFileWriter writer(file,
                              {.form = mta::QueueFileForm::kQueue, .line_length_limit = kLineLengthLimit});
  writer.arrival_time(now());
  writer.attribute("log_ident", file.id());
  writer.put(RecordType::kSender, "ann@example.org");
  writer.recipient({.address = "bob@example.com",
                    .original = "Bob@example.com",
                    .dsn_original = "rfc822;bob@example.com",
                    .notify = mta::kNotifyFailure});
  writer.begin_content();
  writer.header("Received: by mail.example.com\n\tid " + file.id());
  writer.header("Subject: message " + std::to_string(number));
  writer.body("\n");
  writer.body(body_of(number));
  writer.end_content();
  const auto sizes = writer.finish();
  if (!sizes) fail(sizes.error());
}

/// What a session does until its message is acknowledged.
void deliver(const mta::QueueDirectory& queue, mta::GroupCommitter& committer, int number) {
  auto file = queue.create(mta::Queue::kIncoming, now());
  if (!file) fail(file.error());
  write_message(*file, number);
  const auto directory = queue.directory_of(mta::Queue::kIncoming, file->id());
  if (!directory) fail(directory.error());
  const std::string line = std::to_string(number) + ' ' + file->id() + '\n';
  std::mutex mutex;
  std::condition_variable changed;
  bool is_done = false;
  committer.commit(std::move(*file), *directory, [&](const libconf::Result<void>& result) {
    if (!result) fail(result.error());
    const std::lock_guard lock(mutex);
    is_done = true;
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return is_done; });
  // One write, so that whoever kills us sees whole lines.
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(1);
}

int write(std::span<char*> arguments) {
  const std::string form = arguments[5];
  const auto has = [&](const char* word) { return form.find(word) != std::string::npos; };
  mta::QueueDirectory queue(
      {.path = arguments[0],
       .hash_queue_names = has("hashed") ? std::vector<std::string>{"incoming"} : std::vector<std::string>{},
       .hash_queue_depth = 2,
       .id_form = has("long") ? mta::QueueIdForm::kLong : mta::QueueIdForm::kShort,
       .may_be_unnamed = !has("named")});
  if (has("kept"))
    if (const auto kept = queue.keep_files(); !kept) fail(kept.error());
  mta::GroupCommitter committer(std::stoi(arguments[4]));
  std::atomic<int> next{std::stoi(arguments[1])};
  const int end = next + std::stoi(arguments[2]);
  std::vector<std::thread> sessions;
  for (int i = 0; i < std::stoi(arguments[3]); ++i)
    sessions.emplace_back([&] {
      for (int number = next++; number < end; number = next++) deliver(queue, committer, number);
    });
  for (std::thread& session : sessions) session.join();
  return 0;
}

int sweep(std::span<char*> arguments) {
  const mta::QueueDirectory queue(
      {.path = arguments[0], .hash_queue_names = {"incoming"}, .hash_queue_depth = 2});
  const auto removed = queue.sweep(mta::Queue::kIncoming,
                                   std::chrono::floor<std::chrono::seconds>(now()) + std::chrono::hours(1));
  if (!removed) fail(removed.error());
  std::cout << *removed << '\n';
  return 0;
}

/// Calls `use` with a reader of the file, which returns a Result<void>.
template <class Use>
libconf::Result<void> with_file(const char* name, Use use) {
  const libconf::FileDescriptor fd(::open(name, O_RDONLY | O_CLOEXEC));
  auto reader = mta::QueueFileReader::open(fd.get(), name);
  if (!reader) return reader.error();
  return use(*reader);
}

int list(std::span<char*> arguments) {
  const auto listed = with_file(arguments[0], [](mta::QueueFileReader& reader) -> libconf::Result<void> {
    for (;;) {
      const std::uint64_t offset = reader.position();
      const auto record = reader.next();
      if (!record) return record.error();
      if (!*record) return {};
      std::cout << offset << ' ' << static_cast<int>((*record)->type) << ' ' << (*record)->payload << '\n';
    }
  });
  if (!listed) fail(listed.error());
  return 0;
}

/// Sender, number of recipients, and the content.
libconf::Result<std::string> text_of(const char* name) {
  std::string text;
  const auto read = with_file(name, [&](mta::QueueFileReader& reader) -> libconf::Result<void> {
    const auto message = mta::read_queue_message(reader);
    if (!message) return message.error();
    text = message->sender.value_or("none") + '\n' + std::to_string(message->recipients.size()) + '\n';
    return mta::read_content(reader, message->content_offset,
                             [&](std::string_view part, bool ends_line) -> libconf::Result<void> {
                               text.append(part).append(ends_line ? "\n" : "");
                               return {};
                             });
  });
  if (!read) return read.error();
  return text;
}

int message(std::span<char*> arguments) {
  const auto text = text_of(arguments[0]);
  if (!text) fail(text.error());
  std::cout << *text;
  return 0;
}

int numbers(std::span<char*> arguments) {
  constexpr std::string_view kSubject = "\nSubject: message ";
  for (const char* name : arguments) {
    const std::string_view id = std::string_view(name).substr(std::string_view(name).rfind('/') + 1);
    const auto text = text_of(name);
    const std::size_t subject = text ? text->find(kSubject) : std::string::npos;
    if (!text) {
      std::cout << text.error().message << '\n';
    } else if (subject == std::string::npos || text->find("id " + std::string(id) + '\n') > subject) {
      std::cout << "not the message " << id << '\n';
    } else {
      std::cout << std::stoi(text->substr(subject + kSubject.size())) << '\n';
    }
  }
  return 0;
}

struct Command {
  std::string_view name;
  std::size_t arguments;  ///< At least so many, at most so many unless `takes_more`.
  int (*run)(std::span<char*> arguments);
  bool takes_more = false;
};
constexpr Command kCommands[] = {{"write", 6, write},
                                 {"sweep", 1, sweep},
                                 {"list", 1, list},
                                 {"message", 1, message},
                                 {"numbers", 1, numbers, true}};

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  for (const Command& command : kCommands)
    if (!arguments.empty() && command.name == arguments[0] &&
        (arguments.size() == command.arguments + 1 ||
         (command.takes_more && arguments.size() > command.arguments)))
      return command.run(arguments.subspan(1));
  std::cerr << "usage: see the source\n";
  return 1;
}
