// A small program that uses every feature of the table.
#pragma once

#include "base/args/args.hpp"
#include "base/args/complete.hpp"
#include "base/args/manual.hpp"

inline nimbus::base::CommandTable sample_program() {
  using namespace nimbus::base;
  CommandTable program;
  program.root = {
      .name = "ship",
      .summary = "moves cargo",
      .commands = {
          {.name = "load",
           .summary = "puts boxes on board",
           .description = "Boxes are put in the order given.\n\n  ship load a b\n\nNothing is dropped.",
           .examples = {{"ship load a b", "load two boxes"}},
           .positionals = {{.name = "BOX", .help = "what to load", .count = Count::AtLeastOne, .completer = "box"}},
           .flags = {{.name = "weight",
                      .letter = 'w',
                      .value = "KG",
                      .help = "how heavy",
                      .fallback = "10",
                      .env = "SHIP_WEIGHT",
                      .type = ValueType::Number},
                     {.name = "tag", .value = "TAG", .help = "a tag", .times = Times::Many, .alias = "label"},
                     {.name = "fragile", .letter = 'f', .help = "be careful"},
                     {.name = "wait", .value = "TIME", .help = "how long", .type = ValueType::Duration}},
           .exit_codes = {{3, "too heavy"}}},
          {.name = "port",
           .summary = "harbours",
           .commands = {{.name = "list", .summary = "lists harbours"},
                        {.name = "show",
                         .summary = "shows a harbour",
                         .positionals = {{.name = "NAME", .help = "which"},
                                         {.name = "PART",
                                          .help = "what of it",
                                          .count = Count::AtMostOne,
                                          .choices = {"quay", "crane"}}}}}},
          {.name = "log",
           .summary = "reads the log",
           .positionals =
               {{.name = "FILE", .help = "where", .count = Count::AtMostOne, .completer = std::string(kCompleteFile)}}},
          {.name = "secret", .summary = "not for people", .shown = Shown::Hidden},
      }};
  program.global_flags = {
      {.name = "color",
       .value = "WHEN",
       .help = "colours",
       .choices = {"auto", "never"},
       .fallback = "auto",
       .env = "SHIP_COLOR"},
      {.name = "chart", .letter = 'C', .value = "DIR", .help = "the chart", .completer = std::string(kCompleteFolder)},
      {.name = "quiet", .letter = 'q', .help = "say less"}};
  program.exit_codes = {{0, "done"}, {64, "wrong command line"}};
  program.topics = {{"sea", "about the sea", "The sea is big.\n\n  ~~~~~~\n  .waves\n\nAnd wet."}};
  program.version = "1.2.3";
  program.date = "2026-11-23";
  program.values = [](std::string_view kind) -> std::vector<Candidate> {
    if (kind == "box") return {{"apples", "5 kg"}, {"$(touch x)", "evil"}, {"a b", ""}, {"axe\n", ""}};
    return {};
  };
  return program;
}
