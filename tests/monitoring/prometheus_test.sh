#!/usr/bin/env bash
# A real Prometheus finds both ranks of a run through its file_sd.json, and gives back the loss of each; what a rank serves is
# as Prometheus's own linter wants it; every query of the dashboard has an answer; restarted ranks are found again; a
# stopped run is no missing rank.
source "$(dirname "${BASH_SOURCE[0]}")/prometheus.sh"

expect 2 'nowhere is not a run folder' "$stc" monitor nowhere
make_frames pictures 4
"$stc" synthesize pictures --out clips --clips 1 --frames 3 --height 64 --width 96
run=run-$$  # no other test has a run of this name
endless_pretrain "$run" --probe.data=clips --probe.every_steps=30 --probe.short_side=64
for port in $(ports "$run"); do
  scrape "$port" > "scraped-$port.txt"
  promtool check metrics < "scraped-$port.txt" > lint.txt 2>&1 || die "promtool check metrics: $(cat lint.txt)"
done
start_monitor "$run"
expect 2 "port ${prometheus##*:} is taken" "$stc" monitor "$run" --port "${prometheus##*:}"

answers 60 2 'stc_loss{loss="contrastive"}' || die 'Prometheus does not know the loss of both ranks'
for rank in 0 1; do
  grep -Eq "stc_loss\{.*rank=\"$rank\", run=\"$run\"\} => [0-9.]+ @" answer || die "no loss of rank $rank: $(cat answer)"
done
answers 10 2 'stc_run_info{command="pretrain", device="cpu", precision="float32", ranks="2"}' || die 'no facts of the run'
answers 60 1 'stc_checkpoint_timestamp_seconds > 1.7e9 and stc_checkpoint_step > 0' || die 'no time of a checkpoint'
answers 60 1 'sum(rate(stc_metrics_seconds_total[1m])) / sum(rate(stc_step_seconds_sum[1m])) < 0.005' ||
  die "metrics cost more than 0.5 % of a step: $(query 'stc_metrics_seconds_total / stc_step_seconds_sum')"
answers 60 1 'stc_probe_jf{rank="0"}' || die 'no number of the probe'
cost=$(query 'sum(stc_metrics_seconds_total) / sum(stc_step_seconds_sum)')
echo "updates of metrics over the time of steps: $cost"

# What a query needs that a run of step 1 on the CPU, with nothing amiss, has not.
needs() {
  case $1 in
    *stc_selected_fraction* | *stc_local_entropy* | *stc_teacher_entropy*) echo 'step 2' ;;
    *stc_device_* | *stc_mfu*) echo 'a GPU' ;;
    *ALERTS*) echo 'an alert that fires' ;;
  esac
}
sed -nE 's/^ *"expr": "(.*)",?$/\1/p' "$repository/monitoring/dashboards/stc.json" |
  sed "s/\\\\\"/\"/g; s/\\\$run/$run|other/g; s/\\\$__rate_interval/1m/g" > queries.txt
[ "$(wc -l < queries.txt)" -ge 20 ] || die 'the dashboard has no queries'
while read -r expression; do
  need=$(needs "$expression")
  query "$expression" > answer || die "no query that Prometheus understands: $expression"
  if [ -z "$need" ]; then
    grep -q . answer || die "a query of the dashboard has no answer: $expression"
  else
    ! grep -q . answer || die "answered without $need: $expression: $(cat answer)"
    echo "not answered, as it needs $need: $expression"
  fi
done < queries.txt
echo "$(wc -l < queries.txt) queries of the dashboard"
"$repository/scripts/draw-dashboard.py" "$prometheus" page.html --minutes 2
for part in '<h2>Losses</h2><svg' '<h2>Late to the first collective</h2><svg' '<h2>Device memory</h2><div class="none">no GPU'; do
  grep -qF "$part" page.html || die "the drawn dashboard has no $part"
done

# It is found again after a restart, which has other ports.
kill -9 "$(rank_pid "$run" 1)"
answers 90 2 "stc_restarts_total{run=\"$run\"} == 1" || die 'a restart is not told, or the ranks are not found again'

kill -TERM "$started"
wait "$started" || true
[ ! -e "$run/file_sd.json" ] || die 'a stopped run still sends Prometheus to its ranks'
answers 30 0 "up{run=\"$run\"}" || die 'a stopped run still has targets'

folder=$(tr '\0' '\n' < "/proc/$(pgrep -P "$monitor")/cmdline" | sed -n 's/--config.file=\(.*\)\/prometheus.yml/\1/p')
[ -e "$folder/stc.yml" ] || die "$folder holds no rules"
kill -INT "$monitor"
wait "$monitor" || die "stc monitor ended with $?"
[ ! -e "$folder" ] || die "$folder is left"
