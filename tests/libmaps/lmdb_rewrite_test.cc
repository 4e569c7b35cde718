#include "libmaps/lmdb_rewrite.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <functional>
#include <thread>

#include "libmaps/file_lock.h"
#include "libmaps/index_build.h"
#include "libmaps/lmdb_format.h"
#include "libmaps/lmdb_writer.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/lmdb_file.h"
#include "tests/libmaps/lmdb_library.h"
#include "tests/libmaps/recorded_writes.h"

namespace libmaps {
namespace {

using postkit_test::TempDirectory;

constexpr IndexOptions kPlain{.null_terminated = false};

Result<bool> rewrite(const std::string& path, const Sample& sample, const IndexOptions& options = kPlain) {
  Result<FileLock> lock = FileLock::open(path, LockStyle::kFcntl, LockMode::kExclusive);
  if (!lock) return lock.error();
  return rewrite_lmdb_index(entries_of(sample), options, lock->release());
}

void create(const std::string& path, const Sample& sample) {
  const Result<void> written = write_sample(write_lmdb_index, sample, kPlain, path);
  ASSERT_TRUE(written) << written.error().message;
}

void expect_rewrites(const std::string& path, const Sample& sample, const IndexOptions& options = kPlain) {
  const Result<bool> rewritten = rewrite(path, sample, options);
  ASSERT_TRUE(rewritten) << rewritten.error().message;
  EXPECT_TRUE(*rewritten);
}

std::uint64_t pages_of(const std::string& path) { return std::filesystem::file_size(path) / lmdb::kPageSize; }

ino_t inode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_ino;
}

/// liblmdb and we read `sample`, and every page is a meta page, used, or listed as free: liblmdb counts them
/// when it makes a compact copy.
void expect_sound(const std::string& path, const Sample& sample) {
  {
    const Result<LmdbFile> file = LmdbFile::open(path);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_TRUE(listed(*file) == in_order(sample));
    const Result<void> checked = file->check();
    EXPECT_TRUE(checked) << checked.error().message;
  }
  LmdbLibrary library(path);
  EXPECT_TRUE(library.contents() == sample);
  const std::string copy = path + ".copy";
  EXPECT_EQ(library.copy_compact(copy), 0);
  EXPECT_TRUE(LmdbLibrary(copy).contents() == sample);
  std::filesystem::remove(copy);
}

/// A program that has the file open all the time, with a map as small as can be, as Postfix's daemons do.
class OpenReader {
 public:
  explicit OpenReader(const std::string& path) {
    require_success(mdb_env_create(&environment_));
    require_success(mdb_env_set_mapsize(environment_, lmdb::kPageSize));
    require_success(mdb_env_open(environment_, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0644));
  }
  OpenReader(const OpenReader&) = delete;
  OpenReader& operator=(const OpenReader&) = delete;
  ~OpenReader() { mdb_env_close(environment_); }

  std::string find(const std::string& key) {
    MDB_txn* transaction = nullptr;
    int code = mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction);
    if (code == MDB_MAP_RESIZED) {
      ++resizes_;
      require_success(mdb_env_set_mapsize(environment_, 0));
      code = mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction);
    }
    require_success(code);
    MDB_dbi entries = 0;
    require_success(mdb_dbi_open(transaction, nullptr, 0, &entries));
    MDB_val name = library_value(key);
    MDB_val value{};
    const bool is_found = mdb_get(transaction, entries, &name, &value) == 0;
    const std::string result = is_found ? std::string(static_cast<char*>(value.mv_data), value.mv_size) : "";
    mdb_txn_abort(transaction);
    return result;
  }

  int resizes() const { return resizes_; }

 private:
  MDB_env* environment_ = nullptr;
  int resizes_ = 0;
};

/// Runs `work` in another process.
class Child {
 public:
  explicit Child(const std::function<bool()>& work) : id_(::fork()) {
    if (id_ == 0) ::_exit(work() ? 0 : 1);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (id_ > 0) kill();
  }

  void kill() {
    ::kill(id_, SIGKILL);
    static_cast<void>(wait());
  }
  bool wait() {
    int status = 0;
    ::waitpid(std::exchange(id_, -1), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t id_;
};

TEST(LmdbRewrite, LeavesASoundFileWhateverComesAfterWhat) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(60);
  create(path, {});
  const ino_t inode = inode_of(path);
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(round);
    const std::size_t sizes[] = {0, 1, 2, 100, 3000, 8000};
    const Sample sample = random_sample(random, sizes[random() % std::size(sizes)]);
    expect_rewrites(path, sample);
    expect_sound(path, sample);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  EXPECT_EQ(inode_of(path), inode);
}

TEST(LmdbRewrite, IsOneTransactionAmongThoseOfTheLibrary) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(61);
  create(path, random_sample(random, 5000));
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE(round);
    Sample sample = random_sample(random, random() % 6000);
    const std::uint64_t before = LmdbLibrary(path).information().me_last_txnid;
    expect_rewrites(path, sample);
    EXPECT_EQ(LmdbLibrary(path).information().me_last_txnid, before + 1);
    for (std::size_t i = random() % 4; i > 0; --i) {
      LmdbLibrary library(path);
      change_at_random(library, sample, random, 500);
    }
    expect_sound(path, sample);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(LmdbRewrite, GivesTheLibraryThePagesOfTheOldContent) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(62);
  Sample sample = random_sample(random, 20000);
  create(path, sample);
  expect_rewrites(path, sample);
  // The next transaction does not take them yet.
  std::uint64_t pages = 0;
  for (int round = 0; round < 8; ++round) {
    LmdbLibrary library(path);
    change_at_random(library, sample, random, 200);
    if (round == 0) pages = pages_of(path);
  }
  expect_sound(path, sample);
  EXPECT_EQ(pages_of(path), pages);
}

TEST(LmdbRewrite, KeepsTheFileAtAboutTwiceItsContent) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(63);
  Sample sample = random_sample(random, 10000);
  create(path, sample);
  for (int round = 0; round < 10; ++round) {
    // A table that grows.
    sample.merge(random_sample(random, 100));
    create(directory.path("new"), sample);
    expect_rewrites(path, sample);
    EXPECT_LE(pages_of(path), pages_of(directory.path("new")) * 22 / 10) << round;
  }
  const std::uint64_t pages = pages_of(path);
  for (int round = 0; round < 10; ++round) {
    const Sample smaller = random_sample(random, random() % 10000);
    expect_rewrites(path, smaller);
    // A rebuild of Postfix may be looking at the old pages without a lock.
    EXPECT_EQ(pages_of(path), pages);
    expect_sound(path, smaller);
  }
}

TEST(LmdbRewrite, ReachesReadersThatHaveTheFileOpen) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(64);
  create(path, {{"key", "value"}});
  OpenReader library(path);
  Result<LmdbFile> ours = LmdbFile::open(path);
  ASSERT_TRUE(ours);
  for (int round = 0; round < 12; ++round) {
    Sample sample = random_sample(random, random() % 2 == 0 ? 10000 : 10);
    const std::string value = sample["key"] = "round " + std::to_string(round);
    expect_rewrites(path, sample);
    EXPECT_EQ(library.find("key"), value);
    ASSERT_TRUE(ours->refresh());
    EXPECT_EQ(ours->find("key").value(), value);
  }
  EXPECT_GT(library.resizes(), 0);
}

TEST(LmdbRewrite, NeverMakesTheMapSmaller) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  create(path, {});
  const Sample large = {{"a", std::string(100000, 'v')}};
  const std::pair<Sample, std::uint64_t> cases[] = {{{}, 8192}, {large, 16777216}, {{}, 65536}, {large, 1}};
  for (const auto& [sample, setting] : cases) {
    expect_rewrites(path, sample, {.null_terminated = false, .map_size = setting});
    EXPECT_EQ(LmdbLibrary(path, 0).information().me_mapsize, 16777216U);
  }
  ASSERT_TRUE(write_sample(write_lmdb_index, {}, {.map_size = 65536}, path));
  expect_rewrites(path, large, {.null_terminated = false, .map_size = 1});
  EXPECT_EQ(LmdbLibrary(path, 0).information().me_mapsize, 131072U);
  expect_rewrites(path, large, {.null_terminated = false, .map_size = 1000000});
  EXPECT_EQ(LmdbLibrary(path, 0).information().me_mapsize, 1000000U);
}

/// Calls `visit` with what a disk may have after a crash: all up to the last sync, and of what came after it
/// the first steps, the last steps, or single ones.
void visit_crashes(const std::string& before, const std::vector<RecordedWrite>& steps,
                   const std::function<void(const std::string&)>& visit) {
  const auto apply = [](const RecordedWrite& step, std::string& bytes) {
    if (step.kind == RecordedWrite::kTruncate) bytes.resize(step.position);
    if (step.kind != RecordedWrite::kWrite) return;
    bytes.resize(std::max(bytes.size(), step.position + step.bytes.size()));
    bytes.replace(step.position, step.bytes.size(), step.bytes);
  };
  std::string synced = before;
  for (std::size_t first = 0; first < steps.size();) {
    std::size_t end = first;
    while (end < steps.size() && steps[end].kind != RecordedWrite::kSync) ++end;
    for (std::size_t i = first; i <= end; ++i) {
      std::string prefix = synced;
      std::string suffix = synced;
      for (std::size_t j = first; j < end; ++j) apply(steps[j], j < i ? prefix : suffix);
      visit(prefix);
      visit(suffix);
      if (i == end) break;
      std::string single = synced;
      apply(steps[i], single);
      visit(single);
    }
    for (; first < end; ++first) apply(steps[first], synced);
    if (first < steps.size()) ++first;
  }
  visit(synced);
}

TEST(LmdbRewrite, SurvivesACrashBetweenAnyTwoWrites) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(65);
  Sample old_sample = random_sample(random, 5000);
  create(path, old_sample);
  for (int round = 0; round < 9; ++round) {
    SCOPED_TRACE(round);
    const Sample new_sample = random_sample(random, round % 3 == 0 ? random() % 20 : random() % 12000);
    const std::string before = directory.read("t.lmdb");
    int old_files = 0;
    int new_files = 0;
    {
      RecordedWrites writes;
      expect_rewrites(path, new_sample);
      visit_crashes(before, writes.steps(), [&](const std::string& bytes) {
        const Result<LmdbTree> tree = LmdbTree::over(bytes);
        ASSERT_TRUE(tree) << tree.error().message;
        const Result<void> checked = tree->check();
        ASSERT_TRUE(checked) << checked.error().message;
        const SampleList entries = listed(*tree);
        const bool is_new = entries == in_order(new_sample);
        EXPECT_TRUE(is_new || entries == in_order(old_sample));
        ++(is_new ? new_files : old_files);
      });
    }
    EXPECT_GT(old_files, 1);
    EXPECT_GT(new_files, 0);
    old_sample = new_sample;
    if (round % 4 != 3) continue;
    LmdbLibrary library(path);
    change_at_random(library, old_sample, random, 100);
  }
}

/// Lets another process go on, or waits for it.
class Signal {
 public:
  Signal() { EXPECT_EQ(::pipe(ends_), 0); }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() {
    for (const int end : ends_) ::close(end);
  }
  bool give() const { return ::write(ends_[1], "", 1) == 1; }
  bool await() const {
    char byte = 0;
    return ::read(ends_[0], &byte, 1) == 1;
  }

 private:
  int ends_[2] = {-1, -1};
};

TEST(LmdbRewrite, SurvivesTheDeathOfItsProcess) {
  const TempDirectory directory;
  const std::string path = directory.path("t");
  std::mt19937 random(66);
  const Sample samples[] = {random_sample(random, 3000), random_sample(random, 9000)};
  create(path + ".lmdb", samples[0]);
  int changes = 0;
  bool had_first = true;
  for (int round = 0; round < 25; ++round) {
    const Signal is_built;
    const auto start = std::chrono::steady_clock::now();
    Child child([&] {
      for (int i = round;; ++i) {
        Result<IndexBuild> build = IndexBuild::begin(*find_table_type("lmdb"), path);
        const bool is_done = build && build->finish(entries_of(samples[i % 2]), kPlain, {.if_new = 0600});
        if (!is_built.give() || !is_done) return false;
      }
    });
    // At any moment of the second build or the third, however long one takes.
    ASSERT_TRUE(is_built.await());
    const auto build_time = std::chrono::steady_clock::now() - start;
    std::this_thread::sleep_for(build_time * (random() % 200) / 100);
    child.kill();
    const Result<LmdbFile> file = LmdbFile::open(path + ".lmdb");
    ASSERT_TRUE(file) << file.error().message;
    const Result<void> checked = file->check();
    ASSERT_TRUE(checked) << checked.error().message;
    const SampleList entries = listed(*file);
    const bool has_first = entries == in_order(samples[0]);
    ASSERT_TRUE(has_first || entries == in_order(samples[1]));
    changes += has_first != std::exchange(had_first, has_first) ? 1 : 0;
  }
  EXPECT_GT(changes, 2);
}

TEST(LmdbRewrite, LetsReadersGoOnButForItsBeginningAndItsEnd) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(67);
  const Sample new_sample = random_sample(random, 2000);
  create(path, random_sample(random, 2000));
  const std::string before = directory.read("t.lmdb");
  // Closing any descriptor of the file would drop the lock.
  Result<FileLock> reader = FileLock::open(path, LockStyle::kFcntl, LockMode::kShared);
  ASSERT_TRUE(reader && *reader);
  const auto has_old_content = [&] {
    std::string now(before.size(), '\0');
    return ::pread(reader->fd(), now.data(), now.size(), 0) == static_cast<ssize_t>(now.size()) &&
           now == before;
  };

  const Signal is_written;
  const Signal may_go_on;
  Child writer([&] {
    int syncs = 0;
    const RecordedWrites writes([&](const RecordedWrite& step) {
      if (step.kind == RecordedWrite::kSync && ++syncs == 1)
        static_cast<void>(is_written.give() && may_go_on.await());
    });
    return rewrite(path, new_sample).value_or(false) && syncs == 2;
  });
  // It waits for those who read before: a reader, or a transaction of Postfix.
  ::usleep(50000);
  EXPECT_TRUE(has_old_content());
  EXPECT_EQ(std::filesystem::file_size(path), before.size());
  ASSERT_TRUE(set_lock(reader->fd(), LockStyle::kFcntl, LockMode::kUnlock));

  // Who comes while it writes does not wait,
  ASSERT_TRUE(is_written.await());
  EXPECT_GT(std::filesystem::file_size(path), before.size());
  ASSERT_TRUE(set_lock(reader->fd(), LockStyle::kFcntl, LockMode::kShared));
  EXPECT_TRUE(has_old_content());
  // but can finish.
  ASSERT_TRUE(may_go_on.give());
  ::usleep(50000);
  EXPECT_TRUE(has_old_content());
  ASSERT_TRUE(set_lock(reader->fd(), LockStyle::kFcntl, LockMode::kUnlock));
  EXPECT_TRUE(writer.wait());
  expect_sound(path, new_sample);
}

TEST(LmdbRewrite, LeavesTheOldContentWhenTheDiskIsFull) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(68);
  const Sample sample = random_sample(random, 5000);
  create(path, random_sample(random, 5000));
  const std::string before = directory.read("t.lmdb");
  for (const std::size_t limit : {before.size(), before.size() + 1, before.size() * 3 / 2}) {
    Child child([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const struct rlimit size { limit, limit };
      if (::setrlimit(RLIMIT_FSIZE, &size) != 0) return false;
      const Result<bool> rewritten = rewrite(path, sample);
      return !rewritten && rewritten.error().message == "File too large";
    });
    EXPECT_TRUE(child.wait());
    EXPECT_TRUE(directory.read("t.lmdb") == before) << limit;
  }
}

TEST(LmdbRewrite, RefusesKeysThatTheFormatDoesNotHave) {
  const TempDirectory directory;
  create(directory.path("t"), {{"a", "1"}});
  const std::string before = directory.read("t");
  const Result<bool> rewritten = rewrite(directory.path("t"), {{std::string(512, 'k'), "v"}});
  ASSERT_FALSE(rewritten);
  EXPECT_EQ(rewritten.error().kind, ErrorKind::kConfiguration);
  EXPECT_TRUE(directory.read("t") == before);
}

TEST(LmdbRewrite, LeavesAloneWhatIsNoSoundDatabase) {
  const TempDirectory directory;
  create(directory.path("good"), {{"a", "1"}});
  const std::string good = directory.read("good");
  const auto with_meta = [&](std::uint64_t page, const std::function<void(lmdb::Meta&)>& change) {
    std::string bytes = good;
    auto meta = lmdb::load<lmdb::MetaPage>(bytes.data() + page * lmdb::kPageSize);
    change(meta.meta);
    lmdb::store(bytes.data() + page * lmdb::kPageSize, meta);
    return bytes;
  };
  const std::pair<std::string_view, std::string> cases[] = {
      {"nothing", ""},
      {"another format", "some text\n"},
      {"a page is missing", good.substr(0, 8192)},
      {"a damaged page", good.substr(0, 8192) + std::string(4096, 'x')},
      {"the next transaction would take the meta page that counts",
       with_meta(1, [](lmdb::Meta& meta) { meta.transaction = 2; })},
      {"there is no next transaction", with_meta(1, [](lmdb::Meta& meta) { meta.transaction = ~0ULL; })},
  };
  for (const auto& [name, bytes] : cases) {
    directory.write("t", bytes);
    const Result<bool> rewritten = rewrite(directory.path("t"), {{"b", "2"}});
    ASSERT_TRUE(rewritten) << name << ": " << rewritten.error().message;
    EXPECT_FALSE(*rewritten) << name;
    EXPECT_TRUE(directory.read("t") == bytes) << name;
  }
}

TEST(LmdbRewrite, SurvivesDamage) {
  const TempDirectory directory;
  std::mt19937 random(69);
  create(directory.path("good"), random_sample(random, 300));
  expect_rewrites(directory.path("good"), random_sample(random, 300));
  const std::string good = directory.read("good");
  const Sample sample = random_sample(random, 200);
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    std::string bytes = damaged(good, random);
    directory.write("t", bytes);
    const Result<bool> rewritten = rewrite(directory.path("t"), sample);
    ASSERT_TRUE(rewritten) << rewritten.error().message;
    refused += *rewritten ? 0 : 1;
    if (*rewritten) expect_sound(directory.path("t"), sample);
  }
  EXPECT_GT(refused, 10);
  EXPECT_LT(refused, 90);
}

Result<void> build(const std::string& name, const Sample& sample, libconf::FileMode mode) {
  Result<IndexBuild> build = IndexBuild::begin(*find_table_type("lmdb"), name);
  if (!build) return build.error();
  return build->finish(entries_of(sample), kPlain, mode);
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(IndexBuild, RewritesAnLmdbFileThatIsThere) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  ASSERT_TRUE(build(directory.path("t"), {{"a", "1"}}, {.if_new = 0644}));
  EXPECT_EQ(mode_of(path), 0644U);
  const ino_t inode = inode_of(path);
  ASSERT_TRUE(build(directory.path("t"), {{"b", "2"}}, {.if_new = 0600}));
  expect_sound(path, {{"b", "2"}});
  EXPECT_EQ(mode_of(path), 0644U);
  ASSERT_TRUE(build(directory.path("t"), {{"c", "3"}}, {.if_new = 0600, .at_most = 0640}));
  expect_sound(path, {{"c", "3"}});
  EXPECT_EQ(mode_of(path), 0640U);
  EXPECT_EQ(inode_of(path), inode);
  EXPECT_FALSE(directory.has("t.lmdb.tmp"));
}

TEST(IndexBuild, RewritesWhatASymbolicLinkLeadsTo) {
  const TempDirectory directory;
  create(directory.path("real"), {{"a", "1"}});
  std::filesystem::create_symlink("real", directory.path("t.lmdb"));
  const ino_t inode = inode_of(directory.path("real"));
  ASSERT_TRUE(build(directory.path("t"), {{"b", "2"}}, {.if_new = 0644}));
  EXPECT_TRUE(std::filesystem::is_symlink(directory.path("t.lmdb")));
  EXPECT_EQ(inode_of(directory.path("real")), inode);
  expect_sound(directory.path("real"), {{"b", "2"}});
}

TEST(IndexBuild, ReplacesAnLmdbFileThatIsDamaged) {
  const TempDirectory directory;
  directory.write("t.lmdb", "some text\n");
  std::filesystem::permissions(directory.path("t.lmdb"), std::filesystem::perms(0640));
  ASSERT_TRUE(build(directory.path("t"), {{"a", "1"}}, {.if_new = 0644}));
  expect_sound(directory.path("t.lmdb"), {{"a", "1"}});
  EXPECT_EQ(mode_of(directory.path("t.lmdb")), 0640U);
  EXPECT_FALSE(directory.has("t.lmdb.tmp"));
}

TEST(IndexBuild, NamesTheFileThatCannotBeWritten) {
  const TempDirectory directory;
  create(directory.path("t.lmdb"), {{"a", "1"}});
  const Result<void> built = build(directory.path("t"), {{std::string(512, 'k'), "v"}}, {.if_new = 0644});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().message,
            "write " + directory.path("t.lmdb") +
                ": MDB_BAD_VALSIZE: Unsupported size of key/DB name/data, or wrong DUPFIXED size");
  expect_sound(directory.path("t.lmdb"), {{"a", "1"}});
  EXPECT_FALSE(directory.has("t.lmdb.tmp"));
}

}  // namespace
}  // namespace libmaps
