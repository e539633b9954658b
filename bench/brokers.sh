# Sourced: real brokers as somebody would measure beside.
# The disk is nobody's question: many new partitions on it can take eight times as long as in memory.
if [ -z "${TMPDIR:-}" ] && [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -gt 8000000 ]; then
  export TMPDIR=/dev/shm
fi
# Both compilers: the first alone, which starts quicker and is what the tests use, makes a broker that takes a core for itself.
export TICKBRIDGE_KAFKA_JVM="${TICKBRIDGE_KAFKA_JVM--XX:+TieredCompilation}"
