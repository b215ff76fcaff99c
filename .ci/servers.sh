# shellcheck shell=bash disable=SC2154,SC2059
# Checks of the servers that Heddle runs on; read by .ci/run, whose `exits` and `field` they use.

# Of Debian's PostgreSQL, made on the spot: nothing can be pulled where this may run.
stand_in=heddle-stand-in:15
engine_pid=

# An engine for containers: the one that runs, else Debian's, which is stopped again at the end.
engine() {
  docker version >/dev/null 2>&1 && return
  command -v dockerd >/dev/null || {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --no-install-recommends docker.io iptables >/dev/null
  } || return
  docker version >/dev/null 2>&1 && return
  dockerd --userland-proxy=false >"$scratch/dockerd.log" 2>&1 &
  engine_pid=$!
  for _ in {1..300}; do
    docker version >/dev/null 2>&1 && return
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$scratch/dockerd.log"
  return 1
}

# Removes the image that was made, and ends the engine that was started.
engine_stop() {
  [[ -z ${made_image:-} ]] || docker image rm --force "$stand_in" >/dev/null 2>&1
  [[ -z $engine_pid ]] || { kill "$engine_pid" 2>/dev/null && wait "$engine_pid" 2>/dev/null; }
  engine_pid='' made_image=''
}

image() {
  engine_had=$(engine_has) && made_image=yes || return
  .ci/stand-in-image "$stand_in" && docker image ls "$stand_in"
}

# What an engine has that a check could leave behind.
engine_has() {
  docker ps --all --quiet --no-trunc && docker volume ls --quiet
}

engine_clean() {
  local now
  now=$(engine_has) || return
  [[ $now == "$engine_had" ]] || {
    echo "left: $now; before: $engine_had"
    return 1
  }
}

# A counterexample that is found on one server is seen again on the other.
crosswise() {
  local reports=$scratch/crosswise file
  exits 1 npx heddle verify --seed 1 --mutant two-transaction-cancel \
    --postgres "$1" --report "$reports" || return
  file=$(field "$reports/report.json" '.counterexamples[0].file') || return
  exits 1 npx heddle replay "$file" --repeat 10 --postgres "$2"
}

# The same seed does the same on each server, statement by statement. Of two clients one at the most
# waits, so that no step wakes several: who goes first then is a choice on the embedded server alone.
same_on() {
  local choice digest first=
  for choice; do
    # A walk through each pair, which is no search to the end: unknown.
    exits 4 npx heddle verify --seed 3 --pairs --strategy random --postgres "$choice" \
      --report "$scratch/same" || return
    digest=$(field "$scratch/same/report.json" .digest) || return
    printf '%s  %s\n' "$digest" "$choice"
    [[ $digest == "${first:=$digest}" ]] || return
  done
}

# version CHOICE: a row of the table: those tests to which the version matters most, a campaign,
# and a planted bug.
table=
version_tests=(harness/gates/{wire-proxy,gate-locks,row-gates,routine-gates,footprints}
  harness/execution/{locks,executor} src/{claim,constraints,contention})
version() {
  local report=$scratch/version.json reports=$scratch/version status=0
  local tested campaign server caught=caught verdict=green
  HEDDLE_TEST_POSTGRES=$1 timeout --kill-after=30 240 npm test -- --project pg \
    "${version_tests[@]}" --reporter=dot --reporter=json --outputFile.json="$report" || status=1
  tested="$(field "$report" .numPassedTests) of $(field "$report" .numTotalTests)"
  exits 0 npx heddle verify --seed 1 --runs 150 --postgres "$1" --report "$reports" >/dev/null ||
    status=1
  campaign=$(field "$reports/report.json" .verdict)
  server=$(field "$reports/report.json" .environment.postgres.version)
  exits 1 npx heddle verify --seed 2 --mutant check-then-insert --postgres "$1" \
    --report "$reports" || status=1 caught=missed
  ((status == 0)) || verdict=RED
  table+="$server|${1%%:*}|$tested|$campaign, mutant $caught|$verdict"$'\n'
  return "$status"
}

version_table() {
  local row='%-8s | %-9s | %-10s | %-20s | %s\n' cells
  printf "\n$row" version provider tests campaign verdict
  while IFS='|' read -ra cells; do printf "$row" "${cells[@]}"; done <<<"${table%$'\n'}"
}

# timed NAME COMMAND…: prints how long it takes.
timed() {
  local name=$1 start=$EPOCHREALTIME
  shift
  "$@" >/dev/null 2>&1 || { echo "failed: $*" && return 1; }
  node -p "'$name: ' + (${EPOCHREALTIME/,/.} - ${start/,/.}).toFixed(1) + ' s'"
}

# From the command line to the end of one execution, cold (nothing in the cache, or no container
# yet) and warm.
starts() {
  local -x XDG_CACHE_HOME=$scratch/cold
  local one=(npx heddle verify --seed 1 --runs 1 --report "$scratch/one" --postgres)
  # The account that Postgres runs as has to get there.
  mkdir -p "$XDG_CACHE_HOME" && chmod 755 "$scratch" "$XDG_CACHE_HOME" &&
    timed 'embedded, first start' "${one[@]}" embedded &&
    timed 'embedded, next start' "${one[@]}" embedded &&
    timed 'container, first start' "${one[@]}" "container:$stand_in" &&
    timed 'container, next start' "${one[@]}" "container:$stand_in" &&
    timed 'container, first start with --reuse' "${one[@]}" "container:$stand_in" --reuse &&
    timed 'container, next start with --reuse' "${one[@]}" "container:$stand_in" --reuse &&
    docker ps --all --quiet --filter label=heddle.kept |
    xargs --no-run-if-empty docker rm --force --volumes >/dev/null
}

# What a socket and a mapped port cost.
round_trip() {
  HEDDLE_POSTGRES_IMAGE=$stand_in npm run --silent bench -- socket --json
}
