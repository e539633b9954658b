#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tickbridge {

// clang-format off: one row, one event

/// Every event of the log: enumerator, name, level, whether the log's limit holds it back (a kAlways line ends
/// something, or comes once), what it means, what to do. The enumeration, the field EVENT and docs/events.md expand
/// from here; tests/events_test.py looks that each is used.
#define TICKBRIDGE_EVENTS(X)                                                                                          \
  X(kStarting, "starting", kInfo, kAlways, "The daemon starts.", "Nothing.")                                          \
  X(kStartFailed, "start-failed", kError, kAlways,                                                                    \
    "The daemon cannot start and leaves: its HTTP address, Kafka or the checkpoint topic is not to be had.",          \
    "The message names what is missing; cure it and start again. The exit code is in docs/delivery.md.")              \
  X(kStopping, "stopping", kInfo, kAlways, "The daemon stops, and why.", "Nothing, if it was meant.")                 \
  X(kStopWaits, "stop-waits", kWarn, kLimited,                                                                        \
    "With --exit-at-end the daemon waits until Kafka has acknowledged all; it has not yet.",                          \
    "Look at Kafka. SIGTERM bounds the wait by shutdown_timeout.")                                                    \
  X(kStoppedAtOnce, "stopped-at-once", kError, kAlways,                                                               \
    "A second signal ended the daemon before its records were acknowledged (75).",                                    \
    "Start it again: under exactly_once and transactional nothing is lost or doubled. Do not send a second signal.")  \
  X(kFeedSummary, "feed-summary", kInfo, kAlways, "What a feed did in this life of the daemon, at its end.",          \
    "Nothing.")                                                                                                       \
  X(kInvariantBroken, "invariant-broken", kCritical, kAlways,                                                         \
    "A fault in tickbridge; it aborts, so that nothing wrong is written.",                                            \
    "Report it with the lines before it; the daemon can be started again.")                                           \
  X(kConfigWarning, "config-warning", kWarn, kAlways,                                                                 \
    "The configuration is taken, and something about it is unwise: a secret that others may read, as a rule.",        \
    "Do what the line says.")                                                                                         \
  X(kReloaded, "reloaded", kInfo, kAlways, "SIGHUP: the configuration was read again and taken over.", "Nothing.")    \
  X(kReloadRefused, "reload-refused", kError, kAlways,                                                                \
    "SIGHUP: the configuration is wrong, or this is not the moment; all stays as it was.",                                                       \
    "Correct the lines named (--check-config looks without a reload), then SIGHUP again.")                            \
  X(kRestartNeeded, "restart-needed", kWarn, kAlways,                                                                 \
    "SIGHUP: an option has changed that a running daemon does not take over.",                                        \
    "Restart when it suits, or set the option back.")                                                                 \
  X(kOptionChanged, "option-changed", kInfo, kAlways, "SIGHUP: an option has changed and is taken over.", "Nothing.") \
  X(kFeedLeaves, "feed-leaves", kInfo, kAlways,                                                                       \
    "A feed ends at a checkpoint: taken out of the configuration, changed (then it begins anew), or its hours end.",  \
    "Nothing, if it was meant.")                                                                                      \
  X(kFeedLeft, "feed-left", kInfo, kAlways, "A feed that was to leave has ended.",                                    \
    "With a code: docs/delivery.md says what to do.")                                                                 \
  X(kFeedClosed, "feed-closed", kInfo, kAlways, "The daemon started outside a feed's hours.",                         \
    "Nothing; compare feed.NAME.hours if it should be open.")                                                         \
  X(kThreadsHang, "threads-hang", kCritical, kAlways,                                                                 \
    "A thread makes no progress. Under systemd with a watchdog the daemon is ended and started again.",               \
    "Report it with what the message names, and the lines before.")                                                   \
  X(kThreadsGoOn, "threads-go-on", kWarn, kAlways, "All threads make progress again.",                                \
    "Report it: they should never stop.")                                                                             \
  X(kHttpListening, "http-listening", kInfo, kAlways, "The address of the dashboard and of /metrics.", "Nothing.")    \
  X(kHttpExposed, "http-exposed", kWarn, kAlways,                                                                     \
    "HTTP is open to the network, and either to everybody or with a token that crosses it readable.",                 \
    "Do as the message says, or let a firewall decide who gets there; docs/security.md.")                             \
  X(kHttpWrongToken, "http-wrong-token", kWarn, kLimited, "Somebody asked for a page with a wrong token.",            \
    "Is it a program of yours with an old token? Else ask who has that address.")                                     \
  X(kCertificatesRead, "certificates-read", kInfo, kLimited, "Files of certificates have changed and are used now.",  \
    "Nothing, if it was meant.")                                                                                      \
  X(kCertificatesUnusable, "certificates-unusable", kWarn, kLimited,                                                  \
    "Files of certificates have changed and cannot be used; those read before go on.",                                \
    "Correct the file that the message names; the next start would refuse it (78).")                                  \
  X(kHttpFault, "http-fault", kError, kLimited,                                                                       \
    "A page could not be made. The feeds are not touched.", "Report it if it comes again.")                           \
                                                                                                                      \
  X(kConnected, "connected", kDebug, kLimited, "A connection to the exchange stands; the login follows.", "Nothing.") \
  X(kTlsEstablished, "tls-established", kDebug, kLimited, "TLS to the exchange stands; whose certificate it is.",     \
    "Nothing.")                                                                                                       \
  X(kTlsUnverified, "tls-unverified", kWarn, kLimited,                                                                \
    "feed.NAME.tls_verify is false: anybody can stand in for the exchange.",                                          \
    "Set tls_ca_file to the exchange's authority, and leave tls_verify out.")                                         \
  X(kUnreachable, "exchange-unreachable", kWarn, kLimited,                                                            \
    "An address of the exchange cannot be reached; it is tried again, or the next one is.",                           \
    "Look at the network, the firewall, and whether the exchange is open; compare feed.NAME.hosts.")                  \
  X(kConnectionLost, "connection-lost", kWarn, kLimited,                                                              \
    "The connection broke. The daemon connects again and goes on where it was.",                                      \
    "Nothing if it is rare; else look at the network and at what the exchange says.")                                 \
  X(kPacketCut, "packet-cut", kInfo, kLimited,                                                                        \
    "A connection ended inside a packet. It comes again whole, where the transport can replay.", "Nothing.")          \
  X(kSilence, "exchange-silent", kWarn, kLimited,                                                                     \
    "The exchange sent nothing, no heartbeat either, for soupbintcp.silence; the daemon connects again.",             \
    "If it goes on: the exchange hangs, or something between drops packets without a word.")                          \
  X(kProtocolBroken, "protocol-broken", kWarn, kLimited,                                                              \
    "The exchange sent bytes that cannot be; the daemon connects again from the last good packet.",                   \
    "Compare transport, compression, soupbintcp.version and frames with what the exchange says it sends.")            \
  X(kLoggedIn, "logged-in", kInfo, kLimited, "The exchange accepted the login.", "Nothing.")                          \
  X(kLoginRejected, "login-rejected", kWarn, kLimited,                                                                \
    "The exchange does not have the session asked for (now); the login is tried again.",                              \
    "Before the opening: nothing. Else compare feed.NAME.session. A login that is not authorised ends the feed (76).")\
  X(kSessionGivenUp, "session-given-up", kWarn, kLimited,                                                             \
    "No address knows the session any more; the daemon asks for whichever is current.",                               \
    "Nothing on a new day. Within a day: what is missing of the session is told as a gap.")                           \
  X(kSessionChanged, "session-changed", kWarn, kLimited,                                                              \
    "The exchange has begun another session than the one before; symbols are learnt anew.",                           \
    "Nothing on a new day. Within a day ask the exchange.")                                                           \
  X(kSessionEnded, "session-ended", kInfo, kLimited, "The exchange ended the session.", "Nothing.")                   \
                                                                                                                      \
  X(kGap, "gap", kWarn, kLimited,                                                                                     \
    "Messages are missing that the exchange cannot give any more. Counted in gaps and packets_missing, told in the "  \
    "dead-letter topic.",                                                                                             \
    "Get them elsewhere if consumers need them (the message says which). on_gap = \"stop\" stops instead.")           \
  X(kSessionLeft, "session-left", kWarn, kLimited,                                                                    \
    "A session was left before its end; what was still to come of it is a gap.",                                      \
    "As with gap: ask the exchange why the session went away.")                                                       \
  X(kAnsweredLower, "answered-lower", kWarn, kLimited,                                                                \
    "The exchange answered the login with older packets than asked for; they are dropped as repeats.",                \
    "Nothing: no message is written twice.")                                                                          \
  X(kSessionReturned, "session-returned", kWarn, kLimited,                                                            \
    "A session that was left before its end has come back, and under this delivery mode it is written again.",        \
    "Consumers find it twice. exactly_once stops here instead and asks.")                                             \
  X(kKeyedByNumber, "keyed-by-number", kWarn, kLimited,                                                               \
    "An instrument was used before its directory message: its key is #NUMBER until the session ends.",                \
    "Begin the session at its beginning, where the directory is; else consumers must take both keys.")                \
  X(kDecodingFailed, "decoding-failed", kError, kLimited,                                                             \
    "Decoding failed for want of something of the machine's, memory most likely; it is tried again.",                 \
    "Look at the machine's memory and at pipeline.ring_bytes times the feeds.")                                       \
  X(kMessagesDropped, "messages-dropped", kWarn, kLimited,                                                            \
    "when_full = \"drop\" dropped messages, because Kafka took none for max.block.ms.",                               \
    "Look at Kafka; if it is only slow, raise buffer.memory or max.block.ms, or do not drop.")                        \
                                                                                                                      \
  X(kKafkaError, "kafka-error", kWarn, kLimited,                                                                      \
    "The client library reports an error of a broker or a connection; it tries again by itself.",                     \
    "Nothing if it passes. Else: brokers up? addresses, TLS and SASL right? rights given?")                           \
  X(kKafkaLibraryError, "kafka-library-error", kError, kLimited,                                                      \
    "A line of the client library (field FACILITY says which part of it).",                                           \
    "As with kafka-error; the library's documentation explains the facility.")                                        \
  X(kKafkaLibraryWarning, "kafka-library-warning", kWarn, kLimited, "The same, less serious.",                        \
    "As with kafka-error, if it goes on.")                                                                            \
  X(kKafkaLibraryInfo, "kafka-library-info", kInfo, kLimited, "The same, for information.", "Nothing.")               \
  X(kKafkaLibraryDebug, "kafka-library-debug", kDebug, kLimited,                                                      \
    "The same, of producer.librdkafka.debug, or a warning that is known and meant.", "Nothing.")                      \
  X(kLibraryVersion, "library-version", kWarn, kAlways,                                                               \
    "The client library is of a version that weakens something; the message says what.", "Install another version.")  \
  X(kDeliveryFailed, "delivery-failed", kError, kAlways,                                                              \
    "Kafka refused a record for good, or a feed's records can not be written; the feed recovers or stops.",           \
    "The message names topic, record and cause: mostly a limit (max.message.bytes) or a right.")                      \
  X(kProducerFailed, "producer-failed", kError, kAlways,                                                              \
    "A Kafka producer cannot go on. Its feeds recover in place with a new one, or stop.",                             \
    "The message says why. With \"another owner\": two daemons run the same feed; end one.")                          \
  X(kProducerDiscarded, "producer-discarded", kDebug, kAlways,                                                        \
    "The same of a producer that no feed uses any more, or whose feed has told already.", "Nothing.")                 \
  X(kTopicCreated, "topic-created", kInfo, kAlways, "A missing topic was created.", "Nothing.")                       \
  X(kTopicUnchecked, "topic-unchecked", kWarn, kAlways,                                                               \
    "A topic's settings could not be read, so nothing is known of what they weaken.",                                 \
    "Give the daemon's user the right that the message names.")                                                       \
  X(kTopicWeak, "topic-weak", kWarn, kAlways,                                                                         \
    "A topic's settings weaken what the feed promises, replace its timestamps, or refuse those of a replay.",                                 \
    "Run the command, or set the option, that the message names.")                                                    \
  X(kTopicRecreated, "topic-recreated", kError, kAlways,                                                              \
    "The checkpoint topic or its state topic was deleted while the daemon ran; it was created again.",                \
    "Find out who did it. Until the next checkpoint a crash would cost what the message says.")                       \
  X(kTopicUnwatched, "topic-unwatched", kWarn, kLimited,                                                              \
    "The daemon could not look at a topic (for added partitions, other owners); it looks again.",                     \
    "As with kafka-error.")                                                                                           \
  X(kPartitionsAdded, "partitions-added", kInfo, kAlways,                                                             \
    "The data topic has more partitions; the feed takes them in at a barrier.",                                       \
    "Nothing, if consumers know that keys move; docs/recovery.md has the barrier.")                                   \
  X(kTopicRetried, "topic-retried", kWarn, kLimited,                                                                  \
    "The dead-letter, checkpoint or state topic cannot be written; it is tried again.",                               \
    "As with kafka-error; was the topic deleted?")                                                                    \
  X(kCommitsRarer, "commits-follow-interval", kWarn, kAlways,                                                         \
    "producer.transaction_interval is longer than checkpoint.interval, which counts then.",                           \
    "Set the two to what you mean.")                                                                                  \
                                                                                                                      \
  X(kRecovery, "recovery", kInfo, kLimited,                                                                           \
    "A step of the way from the start to owning the feed, or what was found on it.",                                  \
    "Nothing; docs/recovery.md reads such a log line by line.")                                                       \
  X(kOwnerWatched, "owner-watched", kInfo, kLimited,                                                                  \
    "Somebody else's checkpoint or transaction may be alive: the start waits until it is known.",                     \
    "Nothing if it passes. Is there a second daemon with this feed?")                                                 \
  X(kOwned, "owned", kInfo, kLimited, "The feed is this daemon's from here on.", "Nothing.")                          \
  X(kAligned, "aligned", kInfo, kLimited,                                                                             \
    "The replay has caught up with what the topic holds; from here on it is written.", "Nothing.")                    \
  X(kRecoveryRetried, "recovery-retried", kWarn, kLimited,                                                            \
    "Kafka was not to be had on the way; the feed recovers again.", "As with kafka-error.")                           \
  X(kRecoveryInPlace, "recovery-in-place", kWarn, kLimited,                                                           \
    "A feed's producer or place in the log failed; the feed begins anew from its checkpoint, in this process.",       \
    "Nothing if it is rare: nothing is lost. The line says why; look at Kafka if it comes again.")                    \
  X(kNoFence, "no-fence", kWarn, kLimited,                                                                            \
    "What a dead process still had under way could not be fenced off; the start waited checkpoint.settle instead.",   \
    "Give the rights or the setting that the message names.")                                                         \
  X(kNoCheckpoint, "no-checkpoint", kWarn, kAlways,                                                                   \
    "The data topic holds records, but there is no checkpoint: a first start on an old topic, or a lost one.",        \
    "If a checkpoint should be there, stop, and compare checkpoint.topic and the feed's name.")                       \
  X(kCheckpointLost, "checkpoint-lost", kWarn, kAlways,                                                               \
    "The feed's checkpoint has gone from its topic; what this process knows counts.",                                 \
    "Find out who deleted it.")                                                                                       \
  X(kNewLog, "new-log", kWarn, kAlways,                                                                               \
    "The feed's topic has changed; the new one begins where start says.", "Nothing, if it was meant.")                \
  X(kStartForced, "start-forced", kWarn, kAlways,                                                                     \
    "--start over a checkpoint: what was not aligned is given up and written again.",                                 \
    "Nothing, if it was meant. Take --start out of the unit's command line now.")                                     \
  X(kOpenTransaction, "open-transaction", kWarn, kAlways,                                                             \
    "Somebody else's transaction is open in the data topic; what it holds is not looked at.",                         \
    "Find out who else writes there; the topic should be the feed's own.")                                            \
  X(kBarrier, "barrier", kInfo, kLimited,                                                                             \
    "Something has changed for consumers here (a gap, a session, the configuration); the checkpoint says so.",        \
    "Nothing.")                                                                                                       \
  X(kStartDecision, "start-decision", kWarn, kLimited,                                                                \
    "The start took a decision that changes what follows in the topic; the checkpoint says so.",                      \
    "Nothing, if it was meant.")                                                                                      \
  X(kOwnerContended, "owner-contended", kWarn, kLimited,                                                              \
    "Another process has started or gone on with this feed; this one looks again before it writes.",                  \
    "End one of the two.")                                                                                            \
  X(kOwnerUnseen, "owner-unseen", kWarn, kLimited,                                                                    \
    "Whether another process has taken the feed cannot be seen now; nothing more is read until it can.",              \
    "As with kafka-error.")                                                                                           \
  X(kOffsetJump, "offset-jump", kWarn, kLimited,                                                                      \
    "Kafka gave a record another offset than awaited; what lies between is read and judged.",                         \
    "See what follows: foreign-records, recovery-in-place or nothing.")                                               \
  X(kJumpUnread, "jump-unread", kWarn, kLimited,                                                                      \
    "What lies where the offsets jumped cannot be read (now).", "Can the daemon's user read the data topic?")         \
  X(kStrangersFound, "strangers-found", kInfo, kAlways,                                                               \
    "Records behind the checkpoint are not this feed's; they are told one by one once the feed is owned.",            \
    "As with foreign-records.")                                                                                       \
  X(kForeignRecords, "foreign-records", kWarn, kAlways,                                                               \
    "Somebody else writes into the feed's topic. Counted in foreign_writes.",                                         \
    "Find the writer by the offsets named, and keep it out (ACLs): consumers cannot tell its records from the feed's.")\
  X(kDoubleRecords, "double-records", kWarn, kAlways,                                                                 \
    "Records of the feed stand in the topic a second time. Counted in doubles.",                                      \
    "Consumers have to pass over the offsets named. docs/delivery.md says how it can come to that.")                  \
  X(kSkippedByCount, "skipped-by-count", kWarn, kAlways,                                                              \
    "Retention deleted records that a start had to compare with; they were skipped by count.",                        \
    "Make the topic's retention longer than the daemon may be down.")                                                 \
  X(kCheckpointFailed, "checkpoint-failed", kError, kLimited,                                                         \
    "A checkpoint, or what the directory learnt, could not be written; it is tried again.",                           \
    "As with kafka-error. A restart takes longer the older the last checkpoint is.")                                  \
  X(kStateBuried, "state-buried", kInfo, kLimited, "Old records of the state topic were deleted.", "Nothing.")        \
  X(kFeedStopped, "feed-stopped", kError, kAlways,                                                                    \
    "A feed has failed and is stopped; the others go on. The message ends with its exit code.",                       \
    "The message says why and what to do; docs/delivery.md has every code.")

// clang-format on

enum class Event : std::uint8_t {
#define X(id, exposed, level, limit, meaning, cure) id,
  TICKBRIDGE_EVENTS(X)
#undef X
      kCount
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kCritical };
enum class LogHold : std::uint8_t { kLimited, kAlways };

struct EventRow {
  std::string_view name;
  LogLevel level;
  LogHold hold;
  std::string_view meaning;
  std::string_view cure;
};

inline constexpr std::array kEventRows{
#define X(id, exposed, level, hold, meaning, cure) EventRow{exposed, LogLevel::level, LogHold::hold, meaning, cure},
    TICKBRIDGE_EVENTS(X)
#undef X
};

[[nodiscard]] constexpr const EventRow& row_of(Event event) noexcept {
  return kEventRows[static_cast<std::size_t>(event)];
}

/// Names are unlike each other, of lower-case letters and dashes, and each row says something.
template <std::size_t N>
consteval bool events_are_whole(const std::array<EventRow, N>& rows) {
  for (std::size_t i = 0; i < N; ++i) {
    if (rows[i].meaning.empty() || rows[i].cure.empty()) return false;
    if (rows[i].name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") != std::string_view::npos) return false;
    for (std::size_t j = i + 1; j < N; ++j) {
      if (rows[i].name == rows[j].name) return false;
    }
  }
  return true;
}
static_assert(events_are_whole(kEventRows));

}  // namespace tickbridge
