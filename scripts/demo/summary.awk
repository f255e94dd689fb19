# Three results.csv (random, step 1, step 2) -> a table, summary.json, or an exit status that is 0 if step 2 beats random.
# J&F is the mean over objects, as in the official tables; the spread is the standard deviation over clips.
BEGIN { FS = ","; split("random step1 step2", name, " ") }
FNR == 1 { file++; next }
{
  jf = ($3 + $6) / 2
  sum[file] += jf; objects[file]++
  clip_sum[file, $1] += jf; clip_objects[file, $1]++
  if (file == 1 && !($1 in seen)) { seen[$1]; clip[++clips] = $1 }
}
function of_clip(f, c) { return clip_sum[f, c] / clip_objects[f, c] }
function mean(f) { return sum[f] / objects[f] }
function spread(f,    i, m, squares) {
  for (i = 1; i <= clips; i++) m += of_clip(f, clip[i]) / clips
  for (i = 1; i <= clips; i++) squares += (of_clip(f, clip[i]) - m) ^ 2
  return clips > 1 ? sqrt(squares / (clips - 1)) : 0
}
# {"random": ., "step1": ., "step2": .} of one clip, or of all clips ("").
function triple(c,    f, text) {
  for (f = 1; f <= 3; f++)
    text = text sprintf("%s\"%s\": %.6f", f > 1 ? ", " : "", name[f], c == "" ? mean(f) : of_clip(f, c))
  return "{" text "}"
}
END {
  if (form == "verdict") exit !(mean(3) > mean(1))
  if (form == "json") {
    printf "{\n  \"jf\": %s,\n  \"per_clip\": {\n", triple("")
    for (i = 1; i <= clips; i++) printf "    \"%s\": %s%s\n", clip[i], triple(clip[i]), i < clips ? "," : ""
    printf "  },\n  \"seconds\": %d\n}\n", seconds
    exit
  }
  printf "\n%-22s %8s %8s %8s\n", "J&F, per cent", "random", "step 1", "step 2"
  for (i = 1; i <= clips; i++)
    printf "%-22s %8.1f %8.1f %8.1f\n", clip[i], 100 * of_clip(1, clip[i]), 100 * of_clip(2, clip[i]), 100 * of_clip(3, clip[i])
  printf "%-22s %8.1f %8.1f %8.1f\n", "mean over objects", 100 * mean(1), 100 * mean(2), 100 * mean(3)
  printf "%-22s %8.1f %8.1f %8.1f\n\n", "spread over clips", 100 * spread(1), 100 * spread(2), 100 * spread(3)
}
