#include "launcher/config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>

#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

struct Options {
  std::int64_t steps = 100;
  std::string preset = "fixed";
  double rate = 0.1;
  bool nesterov = false;
  std::string folder = "runs/demo";
  int port = 0;
  int threads = 1;
};

// A schema bound to options of its own. `train` is bound in two stretches, as components do.
struct Bound {
  Bound() {
    schema.integer("train.steps", &options.steps).range(1, 1000000).help("optimizer steps");
    schema.text("train.preset", &options.preset).one_of({"paper_code", "fixed"}).help("rules");
    schema.number("optimizer.learning_rate", &options.rate).range(0, 10).help("peak rate");
    schema.boolean("optimizer.nesterov", &options.nesterov).help("look ahead");
    schema.text("run.dir", &options.folder).help("where the run is kept");
    schema.integer("metrics.port", &options.port)
        .range(0, 65535)
        .or_word("off", -1)

        .help("HTTP port");
    schema.integer("train.threads", &options.threads).range(1, 64).help("cores");
    schema.mark_operation({"run.", "metrics.port", "train.threads"});
  }
  Options options;
  ConfigSchema schema;
};

class Config : public testing::Test {
 protected:
  void read(const std::string& content) {
    std::ofstream(folder_ / "a.toml") << content;
    bound_.schema.read_file(folder_ / "a.toml");
  }
  std::string error_of(const std::string& content) {
    return error([&] { read(content); });
  }
  std::string override_error(const std::string& argument) {
    return error([&] { bound_.schema.override_with(argument); });
  }
  static std::string error(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kUsage);
      return error.what();
    }
    return "nothing was thrown";
  }

  test::TemporaryFolder folder_;
  Bound bound_;
  Options& options_ = bound_.options;
  ConfigSchema& schema_ = bound_.schema;
};

TEST_F(Config, FileSetsTheFieldsItNamesAndLeavesTheOthers) {
  read(
      "[train]\nsteps = 7\n[optimizer]\nlearning_rate = 0.25\nnesterov = true\n[metrics]\nport = "
      "\"off\"\n");
  EXPECT_EQ(options_.steps, 7);
  EXPECT_EQ(options_.rate, 0.25);
  EXPECT_TRUE(options_.nesterov);
  EXPECT_EQ(options_.port, -1);
  EXPECT_EQ(options_.preset, "fixed");
  EXPECT_EQ(options_.folder, "runs/demo");
}

TEST_F(Config, LaterFilesAndOverridesWin) {
  read("train.steps = 7\n");
  read("train.steps = 8\n");
  EXPECT_EQ(options_.steps, 8);
  schema_.override_with("--train.steps=9");
  EXPECT_EQ(options_.steps, 9);
  schema_.override_with("--train.steps=10");
  EXPECT_EQ(options_.steps, 10);
}

TEST_F(Config, PathOfAnyBytesIsRecordedAndReadBack) {
  for (const char* path :
       {"runs/\xc4\xe3\xba\xc3", "a\\xc4", "-x", "a\nb", "a'b\"c", "\u6f22", " "}) {
    schema_.override_with(std::string("--run.dir=") + path);
    EXPECT_EQ(options_.folder, path);
    const auto recorded = schema_.resolved();
    EXPECT_EQ(schema_.training_differences(recorded, {}), std::vector<std::string>{}) << recorded;
    options_.folder = "another";
    read(recorded);
    EXPECT_EQ(options_.folder, path);
  }
}

TEST_F(Config, WholeNumberIsANumberButNotTheReverse) {
  read("optimizer.learning_rate = 2\n");
  EXPECT_EQ(options_.rate, 2.0);
  EXPECT_THAT(error_of("train.steps = 2.0\n"),
              HasSubstr("train.steps is 2.0; expected a whole number"));
}

TEST_F(Config, UnknownKeyNamesFileLineKeyAndTheNearestKnown) {
  EXPECT_THAT(error_of("\n[train]\nsteps = 3\nstpes = 3\n"),
              AllOf(HasSubstr(folder_ / "a.toml:4: unknown key 'train.stpes'"),
                    HasSubstr("'train.steps'")));
}

TEST_F(Config, KeyInTheWrongSectionIsToldWhereItBelongs) {
  EXPECT_THAT(error_of("[train]\nlearning_rate = 3\n"), HasSubstr("'optimizer.learning_rate'"));
}

TEST_F(Config, UnknownSectionNamesTheNearestKnown) {
  EXPECT_THAT(error_of("[trian]\nsteps = 3\n"),
              AllOf(HasSubstr("a.toml:1: unknown section 'trian'"), HasSubstr("'train'")));
  EXPECT_THAT(error_of("[trian]\n"), HasSubstr("unknown section 'trian'"));
}

TEST_F(Config, WrongTypesNameLineKeyValueAndRule) {
  EXPECT_THAT(error_of("[train]\nsteps = \"many\"\n"),
              AllOf(HasSubstr("a.toml:2: train.steps is \"many\""),
                    HasSubstr("a whole number from 1 to 1000000")));
  EXPECT_THAT(error_of("optimizer.nesterov = 1\n"), HasSubstr("is 1; expected true or false"));
  EXPECT_THAT(error_of("optimizer.learning_rate = true\n"),
              HasSubstr("is true; expected a number from 0.0 to 10.0"));
  EXPECT_THAT(error_of("run.dir = 3\n"), HasSubstr("is 3; expected a string"));
  EXPECT_THAT(error_of("train.steps = [1, 2]\n"), HasSubstr("expected a whole number"));
  EXPECT_THAT(error_of("[train.steps]\nx = 2\n"), HasSubstr("train.steps is"));
  EXPECT_THAT(error_of("train = 3\n"), HasSubstr("unknown key 'train'"));
}

TEST_F(Config, ValuesOutOfRangeAreRefusedAtBothEnds) {
  EXPECT_THAT(error_of("train.steps = 0\n"), HasSubstr("train.steps is 0"));
  EXPECT_THAT(error_of("train.steps = 1000001\n"), HasSubstr("train.steps is 1000001"));
  EXPECT_THAT(error_of("optimizer.learning_rate = -0.001\n"), HasSubstr("learning_rate is -0.001"));
  EXPECT_THAT(error_of("optimizer.learning_rate = 10.5\n"), HasSubstr("learning_rate is 10.5"));
  EXPECT_THAT(error_of("optimizer.learning_rate = nan\n"), HasSubstr("learning_rate is nan"));
  EXPECT_THAT(error_of("optimizer.learning_rate = inf\n"), HasSubstr("learning_rate is inf"));
  EXPECT_THAT(error_of("train.preset = \"papercode\"\n"),
              HasSubstr("one of \"paper_code\", \"fixed\""));
  EXPECT_THAT(error_of("metrics.port = -1\n"),
              HasSubstr("a whole number from 0 to 65535, or \"off\""));
  EXPECT_THAT(error_of("metrics.port = \"on\"\n"), HasSubstr("metrics.port is \"on\""));
  read("train.steps = 1\noptimizer.learning_rate = 10\n");  // the ends themselves are in
  EXPECT_EQ(options_.rate, 10);
}

TEST_F(Config, OpenBoundsAreNotToldAndInfinityIsNoNumber) {
  double weight = 0;
  std::int64_t count = 0;
  schema_.number("losses.weight", &weight).at_least(0).help("open above");
  schema_.integer("losses.count", &count).at_most(5).help("open below");
  EXPECT_THAT(override_error("--losses.weight=inf"),
              HasSubstr("is inf; expected a number >= 0.0 ("));
  EXPECT_THAT(override_error("--losses.count=6"), HasSubstr("expected a whole number <= 5 ("));
  schema_.override_with("--losses.count=-9223372036854775808");
  EXPECT_EQ(count, std::numeric_limits<std::int64_t>::min());
}

TEST_F(Config, DuplicateKeyIsRefusedWithItsLine) {
  EXPECT_THAT(error_of("[train]\nsteps = 1\nsteps = 2\n"), HasSubstr("a.toml:3: "));
}

TEST_F(Config, BrokenTomlIsRefusedWithItsLine) {
  EXPECT_THAT(error_of("[train]\nsteps = \n"), HasSubstr("a.toml:2: not TOML"));
}

TEST_F(Config, FileThatCannotBeReadIsNamedWithTheCause) {
  EXPECT_THAT(error([&] { schema_.read_file(folder_ / "none.toml"); }),
              AllOf(HasSubstr("none.toml"), HasSubstr("No such file")));
  EXPECT_THAT(error([&] { schema_.read_file(folder_.path()); }),
              AllOf(HasSubstr(folder_.path()), HasSubstr("Is a directory")));
}

TEST_F(Config, EmptyFileChangesNothing) {
  const std::string before = schema_.resolved();
  read("");
  EXPECT_EQ(schema_.resolved(), before);
}

TEST_F(Config, OverrideTakesTextWithAndWithoutQuotes) {
  for (const char* argument :
       {"--run.dir=a b/c#1", "--run.dir=\"a b/c#1\"", "--run.dir='a b/c#1'"}) {
    options_.folder.clear();
    schema_.override_with(argument);
    EXPECT_EQ(options_.folder, "a b/c#1") << argument;
  }
  schema_.override_with("--run.dir=12");
  EXPECT_EQ(options_.folder, "12");
  schema_.override_with("--run.dir=a=b");
  EXPECT_EQ(options_.folder, "a=b");
  schema_.override_with("--run.dir=");
  EXPECT_EQ(options_.folder, "");
  schema_.override_with("--train.preset=paper_code");
  EXPECT_EQ(options_.preset, "paper_code");
}

TEST_F(Config, OverrideTakesNumbersBooleansAndWords) {
  schema_.override_with("--optimizer.learning_rate=1e-3");
  EXPECT_EQ(options_.rate, 1e-3);
  schema_.override_with("--optimizer.nesterov=true");
  EXPECT_TRUE(options_.nesterov);
  schema_.override_with("--metrics.port=off");
  EXPECT_EQ(options_.port, -1);
  schema_.override_with("--metrics.port=9100");
  EXPECT_EQ(options_.port, 9100);
}

TEST_F(Config, OverrideErrorsNameKeyValueAndRule) {
  EXPECT_THAT(override_error("--train.stpes=3"),
              AllOf(HasSubstr("'train.stpes'"), HasSubstr("'train.steps'")));
  EXPECT_THAT(override_error("--train.steps=many"),
              HasSubstr("train.steps is \"many\"; expected a whole"));
  EXPECT_THAT(override_error("--train.steps="), HasSubstr("train.steps is \"\""));
  EXPECT_THAT(override_error("--train.steps=1\ntrain.threads=2"), HasSubstr("train.steps is"));
  EXPECT_THAT(override_error("--optimizer.learning_rate=nan"), HasSubstr("is nan"));
  EXPECT_THAT(override_error("--train.steps"), HasSubstr("--section.key=value"));
  EXPECT_THAT(override_error("train.steps=3"), HasSubstr("--section.key=value"));
  EXPECT_THAT(override_error("--=3"), HasSubstr("--section.key=value"));
  EXPECT_EQ(options_.steps, 100);
}

TEST_F(Config, ResolvedListsSectionsAndKeysInTheOrderTheyWereBound) {
  EXPECT_EQ(schema_.resolved(),
            "[train]\nsteps = 100\npreset = \"fixed\"\nthreads = 1\n\n"
            "[optimizer]\nlearning_rate = 0.1\nnesterov = false\n\n"
            "[run]\ndir = \"runs/demo\"\n\n"
            "[metrics]\nport = 0\n");
}

TEST_F(Config, ResolvedReadsBackToTheSameBits) {
  for (const double rate : {0.1, 1.0 / 3, 1e-300, 5e-324, 3.0, 0.0, 9.999999999999998}) {
    for (const std::string& folder : {std::string("quote\" back\\slash"),
                                      std::string("line\nbreak\ttab"),
                                      std::string("größe'"),
                                      std::string("\x01\x7f"),
                                      std::string()}) {
      options_.rate = rate;
      options_.folder = folder;
      options_.port = -1;
      options_.steps = 999999;
      Bound copy;
      std::ofstream(folder_ / "resolved.toml") << schema_.resolved();
      copy.schema.read_file(folder_ / "resolved.toml");
      EXPECT_EQ(std::signbit(copy.options.rate), std::signbit(rate));
      EXPECT_EQ(copy.options.rate, rate);
      EXPECT_EQ(copy.options.folder, folder);
      EXPECT_EQ(copy.options.port, -1);
      EXPECT_EQ(copy.options.steps, 999999);
      EXPECT_EQ(copy.schema.resolved(), schema_.resolved());
    }
  }
}

TEST_F(Config, HelpHasOneAlignedLineAKeyWithDefaultsOfTheBinding) {
  options_.steps = 5;  // a later value is no default
  std::istringstream lines(schema_.help());
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  ASSERT_EQ(all.size(), 7U);
  EXPECT_THAT(all[0],
              AllOf(HasSubstr("--train.steps=100 "),
                    HasSubstr("a whole number from 1 to 1000000"),
                    HasSubstr("optimizer steps")));
  EXPECT_EQ(all[0].find("a whole number"), all[1].find("one of"));
  EXPECT_EQ(all[0].find("optimizer steps"), all[2].find("peak rate"));
}

TEST_F(Config, DifferencesNameTrainingKeysOnly) {
  const std::string earlier = schema_.resolved();
  EXPECT_THAT(schema_.training_differences(earlier), ElementsAre());
  options_.folder = "elsewhere";
  options_.threads = 2;
  EXPECT_THAT(schema_.training_differences(earlier), ElementsAre());
  options_.steps = 200;
  options_.rate = std::nextafter(0.1, 1);
  EXPECT_THAT(schema_.training_differences(earlier),
              ElementsAre("train.steps: 100 there, 200 here",
                          "optimizer.learning_rate: 0.1 there, 0.10000000000000002 here"));
}

TEST_F(Config, DifferencesCompareValuesAndNotTheirSpelling) {
  options_.rate = 2;
  EXPECT_THAT(schema_.training_differences("[train]\nsteps = 1_00\npreset = 'fixed'\n"
                                           "[optimizer]\nlearning_rate = 2\nnesterov = false\n"),
              ElementsAre());
}

TEST_F(Config, KeyThatTheEarlierRunDidNotHaveIsADifference) {
  EXPECT_THAT(schema_.training_differences("[train]\nsteps = 100\npreset = \"fixed\"\n"
                                           "[optimizer]\nlearning_rate = 0.1\n"),
              ElementsAre("optimizer.nesterov: absent there, false here"));
}

TEST_F(Config, KeyBoundTwiceIsAnError) {
  EXPECT_THROW(schema_.boolean("train.steps", &options_.nesterov), Error);
}

TEST_F(Config, WhatAnIntegerFieldCannotHoldIsOutOfRange) {
  int count = 0;
  std::uint64_t seed = 0;
  schema_.integer("run.count", &count);
  schema_.integer("run.seed", &seed);
  EXPECT_THAT(override_error("--run.count=2147483648"),
              HasSubstr("expected a whole number from -2147483648 to 2147483647"));
  EXPECT_THAT(override_error("--run.seed=-1"), HasSubstr("expected a whole number >= 0"));
  schema_.override_with("--run.seed=9223372036854775807");
  EXPECT_EQ(seed, 9223372036854775807U);
  EXPECT_THROW(schema_.integer("run.wide", &count).at_most(2147483648), Error);
}

TEST_F(Config, WordStandsForTheValueOfAnEnumeration) {
  enum class Shape { kSquare, kCircle } shape = Shape::kCircle;
  schema_.word("search.shape", &shape, {{"square", Shape::kSquare}, {"circle", Shape::kCircle}});
  EXPECT_THAT(schema_.resolved(), HasSubstr("[search]\nshape = \"circle\"\n"));
  schema_.override_with("--search.shape=square");
  EXPECT_EQ(shape, Shape::kSquare);
  EXPECT_THAT(override_error("--search.shape=round"),
              HasSubstr("is \"round\"; expected one of \"square\", \"circle\""));
}

}  // namespace
}  // namespace stc::launcher
