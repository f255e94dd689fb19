#!/usr/bin/env bash
# The report page as a browser shows it, of all three benchmarks, a sweep and a training run: it asks the network for nothing,
# it is not blank, and on a phone it does not scroll sideways. STC_SCREENS=FOLDER keeps the pictures, to look at.
trees=$(realpath "$2")
screens=${STC_SCREENS:+$(mkdir -p "$STC_SCREENS" && realpath "$STC_SCREENS")}
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
export OMP_NUM_THREADS=1

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
  echo 'SKIPPED: no chromium; scripts/setup.sh --checks installs it' >&2
  exit 77
fi

make_frames frames 16
"$stc" pack images frames --out images > /dev/null
"$stc" pretrain "${small_pretrain[@]}" --data.shards=images --run.dir=step1 --train.steps=12 > /dev/null
"$stc" synthesize frames --out clips --clips 3 --frames 8 --height 96 --width 160 > /dev/null
"$trees" .
for weights in random:1 step1/weights.safetensors; do
  label=${weights%%/*}
  common=(--weights "$weights" --depth 18 --threads 1 --half-window 3 --overlays)
  "$stc" eval davis --data clips --short-side 96 --out "$label-davis" "${common[@]}" > /dev/null
  "$stc" eval jhmdb --data JHMDB --side 128 --out "$label-jhmdb" "${common[@]}" > /dev/null
  "$stc" eval vip --data VIP_Fine --side 128 --out "$label-vip" "${common[@]}" > /dev/null
done
cat > sweep.toml << 'TOML'
out = "sweep"
depth = 18
weights = ["random:1"]
[[benchmark]]
name = "vip"
data = "VIP_Fine"
[propagation]
side = 128
half_window = 3
top_k = [1, 5]
temperature = [0.07, 0.2]
TOML
"$stc" sweep sweep.toml --threads 1 > /dev/null
"$stc" report step1 {random:1,step1}-{davis,jhmdb,vip} sweep --out report.html
for heading in DAVIS JHMDB VIP 'Training: step1'; do
  grep -q "<h2>$heading</h2>" report.html || die "the page has no section $heading"
done

# Nothing is fetched: what the page shows is in it, and it has no program.
if grep -Eiq "(src|href)=['\"]?(https?:)?//|url\(|@import|<script|<link|<iframe" report.html; then
  die 'the report is not self-contained'
fi

chrome() {
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars \
    --allow-file-access-from-files --user-data-dir="$work/browser" --virtual-time-budget=5000 "$@" 2> chrome.log ||
    { cat chrome.log >&2; die "chromium failed: $*"; }
}

# The browser's own window is never as narrow as a phone, so the page is put into a frame of the wanted width. What is folded
# is opened before it is measured: "WIDTH-OF-WINDOW WIDTH-OF-CONTENT HEIGHT-AS-OPENED-BY-THE-READER".
frame() { # PAGE WIDTH HEIGHT
  cat << HTML
<!doctype html><body style="margin:0"><iframe src="$1" style="width:$2px;height:$3px;border:0;display:block"></iframe>
<script>
onload = () => {
  const page = document.querySelector('iframe').contentDocument;
  const root = page.documentElement, height = page.body.scrollHeight;
  const folded = page.querySelectorAll('details');
  folded.forEach(one => one.open = true);
  document.documentElement.dataset.sizes = [root.clientWidth, root.scrollWidth, height].join(' ');
  folded.forEach(one => one.open = false);
}
</script>
HTML
}
measure() { # PAGE WIDTH
  frame "$1" "$2" 800 > frame.html
  chrome --window-size=1400,900 --dump-dom "file://$work/frame.html" | sed -n 's/.*data-sizes="\([0-9 ]*\)".*/\1/p'
}

shades() { ffmpeg -nostdin -v error -i "$1" -vf scale=200:-1 -f rawvideo -pix_fmt gray - | od -An -v -tu1 -w1 | sort -u | wc -l; }

for width in 1280 390; do
  read -r window content height <<< "$(measure report.html $width)"
  [ "${window:-0}" -eq $width ] || die "the page was laid out $window pixels wide, not $width"
  [ "$content" -le $width ] || die "at $width pixels the page is $content wide: it scrolls sideways"
  [ "$height" -gt 1000 ] || die "at $width pixels the page is only $height high"
  frame report.html $width "$height" > frame.html
  chrome --window-size=1400,"$height" --screenshot="$work/whole.png" "file://$work/frame.html"
  ffmpeg -nostdin -v error -y -i whole.png -vf "crop=$width:ih:0:0" "report-$width.png"
  [ "$(shades "report-$width.png")" -gt 50 ] || die "report-$width.png is blank"
  [ -z "$screens" ] || cp "report-$width.png" report.html "$screens"
done

# The measure itself: it sees what is too wide, and the shades what is blank.
sed 's|</main>|<div style="width:700px">wide</div></main>|' report.html > wide.html
read -r _ content _ <<< "$(measure wide.html 390)"
[ "$content" -gt 700 ] || die "a page 700 pixels wide was measured as $content"
ffmpeg -nostdin -v error -f lavfi -i color=white:size=390x900 -frames:v 1 blank.png
[ "$(shades blank.png)" -le 50 ] || die 'a blank picture has many shades'
