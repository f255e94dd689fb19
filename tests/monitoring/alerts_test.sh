#!/usr/bin/env bash
# Every alert fires when it should and not before (alerts_test.yml), and leads to what it means in docs/operations.md.
source "$(dirname "${BASH_SOURCE[0]}")/prometheus.sh"

rules=$repository/monitoring/alerts/stc.yml
cp "$rules" "$repository/tests/monitoring/alerts_test.yml" .
promtool check rules stc.yml
promtool test rules alerts_test.yml
for alert in $(sed -nE 's/^ *- alert: (.*)/\1/p' "$rules"); do
  grep -q "runbook: docs/operations.md#${alert,,}\$" "$rules" || die "$alert leads nowhere"
  grep -q "^### $alert\$" "$repository/docs/operations.md" || die "docs/operations.md does not say what $alert means"
  grep -q "alertname: $alert\$" alerts_test.yml || die "alerts_test.yml does not see $alert fire"
  # Without its rule, its test must fail.
  sed "s/- alert: $alert\$/- alert: Another/" "$rules" > stc.yml
  if promtool test rules alerts_test.yml > /dev/null 2>&1; then die "the test of $alert passes without it"; fi
done
