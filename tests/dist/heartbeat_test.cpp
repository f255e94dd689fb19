#include "dist/heartbeat.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "dist/datagram_socket.h"
#include "dist/status_board.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

using ::testing::HasSubstr;

TEST(DatagramSocket, DeliversToEachOfItsAddresses) {
  DatagramSocket sender, receiver;
  const auto addresses = receiver.addresses();
  ASSERT_FALSE(addresses.empty());
  for (const auto& address : addresses) {
    sender.send("to " + address, address);
    EXPECT_EQ(receiver.receive(std::chrono::milliseconds(5000)).value_or("nothing"),
              "to " + address);
  }
}

TEST(DatagramSocket, WrongAddressesAreIgnored) {
  DatagramSocket socket;
  for (const auto* address : {"", "nowhere", "1.2.3:4", "127.0.0.1:1"})
    socket.send("lost", address);
  EXPECT_FALSE(socket.receive(std::chrono::milliseconds(1)));
}

// Lines that the heartbeats of all ranks say, and a way to wait for one.
class Lines {
 public:
  void add(const std::string& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
    came_.notify_all();
  }
  std::string wait_for(const std::string& part) {
    std::unique_lock lock(mutex_);
    std::string found;
    came_.wait_for(lock, std::chrono::seconds(20), [&] {
      for (const auto& line : lines_) {
        if (line.find(part) != std::string::npos) found = line;
      }
      return !found.empty();
    });
    return found;
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::string> lines_;
};

// Whichever rank is late, it is named once for all, and the end of the stall too.
TEST(Heartbeat, NamesTheRankThatTheOthersWaitFor) {
  for (const int late : {0, 2}) {
    Lines lines;
    run_ranks(3, [&](Communicator& world) {
      HeartbeatOptions options;
      options.stall_seconds = 1;
      options.report = [&](const std::string& line) { lines.add(line); };
      const Heartbeat heartbeat(world, options);
      world.barrier();
      if (world.rank() == late) {
        EXPECT_THAT(lines.wait_for("is stalled in"), HasSubstr(text("missing rank {} ", late)));
      }
      world.barrier();
      if (world.rank() != late) lines.wait_for("completed after");
      world.barrier();
    });
    EXPECT_THAT(lines.all(), testing::SizeIs(2));
  }
}

TEST(Heartbeat, GivesUpWhenNothingElseEndsTheRank) {
  Lines lines;
  run_ranks(2, [&](Communicator& world) {
    HeartbeatOptions options;
    options.stall_seconds = 1;
    options.timeout_seconds = -4;  // with the grace: one second
    options.report = [](const std::string&) {};
    options.give_up = [&](const std::string& line) { lines.add(line); };
    const Heartbeat heartbeat(world, options);
    if (world.rank() == 1) {
      EXPECT_THAT(lines.wait_for("pending"), HasSubstr("(barrier) has been pending"));
    }
    world.barrier();
  });
}

TEST(Heartbeat, ReportsToALauncherInstead) {
  DatagramSocket launcher;
  std::string given = "token";
  for (const auto& address : launcher.addresses()) given += " " + address;
  setenv(kLaunchVariable, given.c_str(), 1);
  Lines lines;
  run_ranks(2, [&](Communicator& world) {
    HeartbeatOptions options;
    options.stall_seconds = 1;
    options.report = [&](const std::string& line) { lines.add(line); };
    const Heartbeat heartbeat(world, options);
    world.barrier();
    if (world.is_root()) {
      bool heard[2] = {false, false};
      while (!heard[0] || !heard[1]) {
        const auto datagram = launcher.receive(std::chrono::milliseconds(20000));
        if (!datagram) break;
        const auto status = decode(*datagram, "token");
        ASSERT_TRUE(status);
        heard[status->rank] = true;
      }
      EXPECT_TRUE(heard[0] && heard[1]);
    }
    world.barrier();
  });
  unsetenv(kLaunchVariable);
  EXPECT_THAT(lines.all(), testing::IsEmpty());
}

}  // namespace
}  // namespace stc::dist
