//! The command line as it is written: every command, option and their help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use korpus_analytics::{Export, Metric, TableFormat, TimeZone};
use korpus_engine::{Direction, TagFilter};
use korpus_tables::{Compression, PartitionBy, Table};

use crate::parse::{self, ExpectedShape};

const EXIT_CODES: &str = "\
Exit codes: 0 all clean (duplicates and superseded copies are clean); 1 finished, and something was rejected, partial or \
an error response: the summary says what; 2 nothing was done (usage, no input, cannot write); 130 interrupted.";

/// Turns dumped Kore.ai conversation history into Parquet tables: every message and every value accounted for.
#[derive(Debug, Parser)]
#[command(name = "korpus", version, after_help = EXIT_CODES, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the tables: the default job
    #[command(after_help = EXIT_CODES)]
    Convert(ConvertArgs),
    /// Write the metrics of dumps, or of a dataset that convert wrote: sessions, how they ended, how fast, what people do;
    /// and a report for the browser
    #[command(after_help = EXIT_CODES)]
    Analyze(Box<AnalyzeArgs>),
    /// Show what is there, what is broken and what is missing, without writing anything
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Show what a file is: codec, bodies, fields, and its first conversations, readable
    #[command(after_help = EXIT_CODES)]
    Inspect(InspectArgs),
    /// Print the messages and records of a dataset as the API gave them, one JSON object a line: all of them, unfiltered
    Restore(RestoreArgs),
    /// Print the tables, their columns and meaning
    Schema(SchemaArgs),
    /// Write synthetic dumps, with their ground truth
    Synth(Box<SynthArgs>),
}

/// `korpus convert`
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    pub read: ReadArgs,
    /// The directory that becomes the dataset: whole or not at all
    #[arg(short, long, value_name = "DIR", required_unless_present = "append")]
    pub out: Option<PathBuf>,
    /// Add to the dataset that is there, made with the same options: only inputs that it was not made of, by their content
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "overwrite"])]
    pub append: Option<PathBuf>,
    /// Replace a dataset that is there already, when the new one is complete
    #[arg(long)]
    pub overwrite: bool,
    /// Keep what is finished on the way beside DIR, and go on from there where an earlier run with this option was interrupted
    #[arg(long, conflicts_with = "append")]
    pub resume: bool,
    /// How much --resume reads at least between two checkpoints, which fall between inputs
    #[arg(long, value_name = "SIZE", default_value = "256MiB", requires = "resume", value_parser = parse::bytes)]
    pub checkpoint: usize,
    /// Fill only these tables; the others are there, without rows
    #[arg(long, value_name = "TABLE,…", value_delimiter = ',', value_parser = parse::table)]
    pub tables: Vec<Table>,
    /// Lay the messages out in one folder a day, as Hive does: event_date
    #[arg(long, value_name = "COLUMN", value_parser = parse::partition_by)]
    pub partition_by: Option<PartitionBy>,
    /// How the files are compressed: zstd, lz4, snappy or none
    #[arg(long, value_name = "NAME", default_value = "zstd", value_parser = parse::compression)]
    pub compression: Compression,
    /// Publish nothing (and exit with 2) if anything was rejected, partial or an error response
    #[arg(long)]
    pub strict: bool,
}

/// `korpus analyze`
#[derive(Debug, Args)]
pub(crate) struct AnalyzeArgs {
    #[command(flatten)]
    pub read: ReadArgs,
    /// The directory that gets the tables and report.html: whole or not at all
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace what korpus wrote there before, when the new one is complete
    #[arg(long)]
    pub overwrite: bool,
    /// How the small tables are written: parquet, csv or json (sessions is always Parquet)
    #[arg(long, value_name = "NAME", default_value = "parquet", value_parser = parse::table_format)]
    pub table_format: TableFormat,
    /// Write sessions for other programs too: pm4py (an event log) or convokit (a corpus)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = parse::export)]
    pub export: Vec<Export>,
    /// The headline of the report
    #[arg(long, value_name = "TEXT", default_value = "Conversations")]
    pub title: String,
    /// In which days and hours are counted: an IANA name, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = parse::timezone, help_heading = "Metrics")]
    pub timezone: TimeZone,
    /// How much silence means that a session is over, such as 15m, 900s or 1h
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse::gap, help_heading = "Metrics")]
    pub inactivity_gap: i64,
    /// What the dump covers, as days or moments (UTC): FROM..TO; else it goes by requests, else by messages
    #[arg(long, value_name = "FROM..TO", value_parser = parse::window, help_heading = "Metrics")]
    pub window: Option<(i64, i64)>,
    /// Count the sessions of developers too
    #[arg(long, help_heading = "Metrics")]
    pub include_developers: bool,
    /// How messages begin that close a conversation, one phrase a line, instead of the built-in ones
    #[arg(long, value_name = "FILE", help_heading = "Metrics")]
    pub closure_phrases: Option<PathBuf>,
    /// What messages contain where the bot did not understand
    #[arg(long, value_name = "FILE", help_heading = "Metrics")]
    pub fallback_phrases: Option<PathBuf>,
    /// What messages contain where the bot offers to end
    #[arg(long, value_name = "FILE", help_heading = "Metrics")]
    pub wrap_up_phrases: Option<PathBuf>,
    /// The incoming texts that no person typed
    #[arg(long, value_name = "FILE", help_heading = "Metrics")]
    pub pseudo_inputs: Option<PathBuf>,
}

/// `korpus check`
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub read: ReadArgs,
}

/// `korpus inspect`
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The file, or - for standard input
    pub file: OsString,
    /// How many conversations are shown
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = parse::whole::<usize>)]
    pub conversations: usize,
    /// How many messages of a conversation are shown
    #[arg(long, value_name = "N", default_value_t = 40, allow_negative_numbers = true, value_parser = parse::whole::<usize>)]
    pub messages: usize,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `korpus restore`
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The dataset
    pub dir: PathBuf,
}

/// `korpus schema`
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Only this table
    #[arg(value_parser = parse::table)]
    pub table: Option<Table>,
    /// The template types that are known, instead of the tables
    #[arg(long, conflicts_with = "table")]
    pub templates: bool,
    /// The tables of metrics that analyze makes, or some of them, instead of those of convert
    #[arg(long, value_name = "TABLE", num_args = 0.., value_delimiter = ',', value_parser = parse::metric,
          conflicts_with_all = ["table", "templates"])]
    pub metrics: Option<Vec<Metric>>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = SchemaFormat::Text)]
    pub format: SchemaFormat,
}

/// How the schema is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaFormat {
    /// For people
    Text,
    /// For documents
    Markdown,
    /// For programs
    Json,
}

/// `korpus synth`
#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    /// Write the dump to DIR/dump, and its truth to DIR/truth.json
    #[arg(short, long, value_name = "DIR", required_unless_present = "stdout")]
    pub out: Option<PathBuf>,
    /// Write one stream to standard output instead: one body, or what the layout says
    #[arg(long, conflicts_with = "out")]
    pub stdout: bool,
    /// What everything else is derived from: equal options give equal dumps
    #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = parse::whole::<u64>)]
    pub seed: u64,
    /// How many messages
    #[arg(long, value_name = "N", default_value_t = 10_000, conflicts_with = "pages", allow_negative_numbers = true, value_parser = parse::whole::<u64>)]
    pub messages: u64,
    /// How many bodies, instead
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse::whole::<u64>)]
    pub pages: Option<u64>,
    /// Messages a body
    #[arg(long, value_name = "N", default_value_t = 10_000, allow_negative_numbers = true, value_parser = parse::whole::<u64>)]
    pub page_size: u64,
    /// v1, v2, stream, lite, call, agent_ai, agent_ai_history, sessions, error; taken in turn
    #[arg(long = "shape", value_name = "SHAPE,…", value_delimiter = ',', default_value = "v2",
          value_parser = parse::named::<korpus_synth::Shape>)]
    pub shapes: Vec<korpus_synth::Shape>,
    /// plain, gzip, zlib, deflate, brotli, zstd; taken in turn (standard output: plain by default)
    #[arg(long = "codec", value_name = "CODEC,…", value_delimiter = ',',
          value_parser = parse::named::<korpus_synth::Codec>)]
    pub codecs: Vec<korpus_synth::Codec>,
    /// lean (about 1 KB a message) or rich (2 to 3 KB)
    #[arg(long, default_value = "lean", value_parser = parse::named::<korpus_synth::Profile>)]
    pub profile: korpus_synth::Profile,
    /// Indent the JSON
    #[arg(long)]
    pub pretty: bool,
    /// files, ndjson-bodies, ndjson-messages or concatenated
    #[arg(long, default_value = "files", value_parser = parse::named::<korpus_synth::Layout>)]
    pub layout: korpus_synth::Layout,
    /// Bodies a file, where a file holds several
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true, value_parser = parse::whole::<u64>)]
    pub bodies_per_file: u64,
    /// The share of messages that come twice, unchanged
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, allow_negative_numbers = true)]
    pub duplicates: f64,
    /// The share of messages that come again, edited
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, allow_negative_numbers = true)]
    pub edited_copies: f64,
    /// The share of a page that the next one repeats
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, allow_negative_numbers = true)]
    pub overlap: f64,
    /// Kinds of damage, taken in turn, such as truncated-body or missing-quote
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', value_parser = parse::named::<korpus_synth::Damage>)]
    pub damage: Vec<korpus_synth::Damage>,
    /// Every how-manieth body is damaged
    #[arg(long, value_name = "N", default_value_t = 3, allow_negative_numbers = true, value_parser = parse::whole::<u64>)]
    pub damage_every: u64,
    /// Bots
    #[arg(long, value_name = "N", default_value_t = 2, allow_negative_numbers = true, value_parser = parse::whole::<u32>)]
    pub bots: u32,
    /// End users
    #[arg(long, value_name = "N", default_value_t = 500, allow_negative_numbers = true, value_parser = parse::whole::<u32>)]
    pub users: u32,
    /// How busy the contact centre is, 1 to 1000: at 1 up to 50 sessions begin in an hour and hardly overlap, at 100 up to 5,000
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = parse::whole::<u32>)]
    pub load: u32,
    /// The share of the bot's prompts that are templates
    #[arg(long, value_name = "SHARE", default_value_t = 0.35, allow_negative_numbers = true)]
    pub template_share: f64,
    /// Oldest message first
    #[arg(long)]
    pub forward: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// What every command that reads dumps takes.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// Files, directories (all files in them, hidden ones aside), globs, or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<OsString>,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub common: CommonArgs,
    /// What the inputs are: v1, v2, stream, full, lite, call, agent_ai or sessions. A body of another shape is a finding
    #[arg(long, value_name = "SHAPE", value_parser = parse::shape, help_heading = "Reading")]
    pub shape: Option<ExpectedShape>,
    /// Keep all copies of a message
    #[arg(long, help_heading = "Reading")]
    pub no_dedup: bool,
    /// Threads, up to 512; 0 means as many as the machine has processors
    #[arg(long, value_name = "N", default_value = "0", value_parser = parse::threads,
          allow_negative_numbers = true, help_heading = "Reading")]
    pub threads: usize,
}

/// What all commands that read take, the one for a single file too.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    /// How much memory may be used, such as 512M or 2G; a quarter of the machine's otherwise. Less than 96M counts as 96M. Where
    /// there is not enough for all threads, fewer work
    #[arg(long, value_name = "SIZE", value_parser = parse::bytes, help_heading = "Reading")]
    pub memory_limit: Option<usize>,
    /// Map large files into memory instead of reading them: only where nobody shortens them meanwhile
    #[arg(long, help_heading = "Reading")]
    pub mmap: bool,
    /// Where temporary files go
    #[arg(long, value_name = "DIR", help_heading = "Reading")]
    pub temp_dir: Option<PathBuf>,
    /// How the result is printed, on standard output
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Printing")]
    pub format: Format,
    /// Print nothing but errors
    #[arg(short, long, help_heading = "Printing")]
    pub quiet: bool,
    /// No progress bar
    #[arg(long, help_heading = "Printing")]
    pub no_progress: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The filters of the API, under the API's names. Several values of one are alternatives; all that are given must hold.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters, as the API names them")]
pub(crate) struct FilterArgs {
    /// Messages of this end user (repeatable)
    #[arg(long, value_name = "ID")]
    pub user_id: Vec<String>,
    /// Messages of this session (repeatable)
    #[arg(long, value_name = "ID")]
    pub session_id: Vec<String>,
    /// Messages of this bot (repeatable)
    #[arg(long, value_name = "ID")]
    pub bot_id: Vec<String>,
    /// Messages of these channels, such as rtm
    #[arg(long, value_name = "CHANNEL,…", value_delimiter = ',')]
    pub channel_type: Vec<String>,
    /// Messages from this day (yyyy-mm-dd, UTC) or moment on; one without a time goes by the start of its record
    #[arg(long, value_name = "DATE", value_parser = parse::date_from)]
    pub date_from: Option<i64>,
    /// Messages up to this day or moment, itself included
    #[arg(long, value_name = "DATE", value_parser = parse::date_to)]
    pub date_to: Option<i64>,
    /// This message, and those around it in its session; records stay
    #[arg(long, value_name = "ID")]
    pub msg_id: Option<String>,
    /// Which ones around it: -1 before, 0 both sides, 1 after
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse::direction,
          allow_hyphen_values = true, requires = "msg_id")]
    pub direction: Direction,
    /// Messages of these types: incoming, outgoing, …; records stay
    #[arg(long = "type", value_name = "TYPE,…", value_delimiter = ',')]
    pub message_type: Vec<String>,
    /// Messages with this tag; scopes are message, user, session and alt_text (repeatable: all must be there). VALUE is
    /// the text, or any JSON of the same value
    #[arg(long = "tag", value_name = "SCOPE:NAME=VALUE")]
    pub tags: Vec<TagFilter>,
    /// Messages of developers only; =false for all others
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub is_developer: Option<bool>,
    /// Bodies that were requested for this call; only where the inputs hold their requests, as curl -i dumps with their request and HAR files do
    #[arg(long, value_name = "ID")]
    pub call_id: Option<String>,
    /// Leave out the first N messages of what is kept; records stay
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = parse::whole::<u64>)]
    pub skip: u64,
    /// Keep at most N messages; records stay
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse::whole::<u64>)]
    pub limit: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_holds_together() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn options_are_read_as_documented() {
        let line = "korpus convert a - --out o --tables messages,tags --direction -1 --msg-id m --is-developer \
                    --tag user:plan=gold --memory-limit 1G --type incoming,outgoing";
        let Command::Convert(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("another command")
        };
        assert_eq!(args.read.inputs, ["a", "-"]);
        assert_eq!(args.tables, [Table::Messages, Table::Tags]);
        assert_eq!(args.read.filter.direction, Direction::Reverse);
        assert_eq!(args.read.filter.is_developer, Some(true));
        assert_eq!(args.read.filter.message_type, ["incoming", "outgoing"]);
        assert_eq!(args.read.common.memory_limit, Some(1 << 30));
        assert!(Cli::try_parse_from(["korpus", "convert", "a", "--out", "o", "--tables", "nope"]).is_err());
        assert!(Cli::try_parse_from(["korpus", "restore", "d", "--bot-id", "b"]).is_err());
        assert!(Cli::try_parse_from(["korpus", "convert", "a"]).is_err());
        assert!(Cli::try_parse_from(["korpus", "convert", "a", "--append", "o"]).is_ok());
        assert!(Cli::try_parse_from(["korpus", "convert", "a", "--append", "o", "--out", "o"]).is_err());
        assert!(Cli::try_parse_from(["korpus", "convert", "a", "--append", "o", "--overwrite"]).is_err());
    }
}
