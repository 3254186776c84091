//! A chart with logarithmic axes, drawn by plotters into a piece of SVG.
//!
//! The backend has no fonts to measure with, so this places its own ticks and labels and leaves
//! the typeface to the page. Colours are markers that the page's style sheet replaces, in light
//! and in dark.

use plotters::coord::Shift;
use plotters::coord::combinators::LogCoord;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use verdict_audit::VariantName;

/// Why a chart was not drawn.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the chart {title:?} cannot be drawn: {reason}")]
pub struct PlotError {
    title: String,
    reason: String,
}

/// What a series stands for; decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Baseline,
    Proposed,
    OtherProposed,
    Optimized,
}

impl Ink {
    /// The colour of a variant's series, the same in every chart.
    pub(crate) fn of(variant: &VariantName, proposed_before: usize) -> Self {
        match variant {
            VariantName::Baseline => Self::Baseline,
            VariantName::Optimized => Self::Optimized,
            _ if proposed_before == 0 => Self::Proposed,
            _ => Self::OtherProposed,
        }
    }

    /// Line width and dot radius in pixels: where series lie on each other, the earlier one shows
    /// as a rim around the later.
    fn weight(self) -> (u32, i32) {
        match self {
            Self::Baseline => (3, 5),
            Self::Proposed => (2, 4),
            Self::OtherProposed | Self::Optimized => (2, 3),
        }
    }

    fn colour(self) -> RGBColor {
        match self {
            Self::Baseline => RGBColor(0x6E, 0x77, 0x81),
            Self::Proposed => RGBColor(0xD5, 0x5E, 0x00),
            Self::OtherProposed => RGBColor(0xB8, 0x86, 0x0B),
            Self::Optimized => RGBColor(0x00, 0x72, 0xB2),
        }
    }
}

/// The page's text, its quieter text, the grid, the target line.
const TEXT: RGBColor = RGBColor(0x1F, 0x23, 0x28);
const QUIET: RGBColor = RGBColor(0x59, 0x63, 0x6E);
const GRID: RGBColor = RGBColor(0xD8, 0xDE, 0xE4);
const TARGET: RGBColor = RGBColor(0xCF, 0x22, 0x2E);

/// One measured point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// The ends of an interval, or of a band from a lower to a higher percentile.
    pub(crate) range: Option<(f64, f64)>,
}

/// How a series shows its points' ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Points joined by a line, the ranges filled between.
    Band,
    /// Points joined by a line, each range a bar.
    Bars,
    /// Points alone, each range a bar.
    Dots,
    /// A thin line without points.
    Curve,
}

/// A series, labelled at its last point.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) label: String,
    pub(crate) ink: Ink,
    pub(crate) style: Style,
    pub(crate) points: Vec<Point>,
}

/// A horizontal line to hold the points against.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) y: f64,
}

/// A chart on log axes. Values at or below zero have no place on it and are left out.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) x_name: String,
    pub(crate) y_name: String,
    pub(crate) show_y: fn(f64) -> String,
    pub(crate) series: Vec<Series>,
    pub(crate) lines: Vec<Line>,
}

const WIDTH: i32 = 620;
const HEIGHT: i32 = 340;
const LEFT: i32 = 84;
const RIGHT: i32 = 122;
const TOP: i32 = 34;
const BOTTOM: i32 = 50;

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<LogCoord<f64>, LogCoord<f64>>>;
type Root<'b> = DrawingArea<SVGBackend<'b>, Shift>;

impl Plot {
    /// The chart as an `<svg>` element; `None` when no point has a place on it.
    pub(crate) fn svg(&self) -> Result<Option<String>, PlotError> {
        let plot = self.positive();
        let points = || plot.series.iter().flat_map(|series| &series.points);
        let measured = || {
            plot.series
                .iter()
                .filter(|series| series.style != Style::Curve)
        };
        let xs: Vec<f64> = measured()
            .flat_map(|series| series.points.iter().map(|point| point.x))
            .collect();
        let ys: Vec<f64> = points()
            .flat_map(|point| {
                let (lo, hi) = point.range.unwrap_or((point.y, point.y));
                [lo, point.y, hi]
            })
            .chain(plot.lines.iter().map(|line| line.y))
            .collect();
        let (Some(x), Some(y)) = (span(&xs, 1.12), span(&ys, 1.25)) else {
            return Ok(None);
        };
        let mut svg = String::new();
        plot.draw(&mut svg, x, y, &xs).map_err(|error| PlotError {
            title: self.title.clone(),
            reason: error.to_string(),
        })?;
        Ok(Some(accessible(&svg, &self.title)))
    }

    fn positive(&self) -> Self {
        let mut plot = self.clone();
        for series in &mut plot.series {
            series.points.retain(|point| point.x > 0.0 && point.y > 0.0);
            for point in &mut series.points {
                point.range = point.range.map(|(lo, hi)| (lo.max(point.y / 1e3), hi));
            }
        }
        plot.series.retain(|series| !series.points.is_empty());
        plot
    }

    fn draw(
        &self,
        svg: &mut String,
        x: (f64, f64),
        y: (f64, f64),
        xs: &[f64],
    ) -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(svg, (WIDTH as u32, HEIGHT as u32)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_left(LEFT)
            .margin_right(RIGHT)
            .margin_top(TOP)
            .margin_bottom(BOTTOM)
            .build_cartesian_2d((x.0..x.1).log_scale(), (y.0..y.1).log_scale())?;

        self.grid(&root, &chart, x, y, xs)?;
        for line in &self.lines {
            let dashes =
                DashedLineSeries::new([(x.0, line.y), (x.1, line.y)], 6, 4, TARGET.stroke_width(1));
            chart.draw_series(dashes)?;
        }
        for series in &self.series {
            draw_series(&mut chart, series)?;
        }
        self.labels(&root, &chart, x.1)?;
        root.draw(&Text::new(
            self.title.clone(),
            (LEFT, 8),
            font(15.0).color(&TEXT).pos(Pos::new(HPos::Left, VPos::Top)),
        ))?;
        drop(chart);
        root.present()?;
        Ok(())
    }

    fn grid(
        &self,
        root: &Root<'_>,
        chart: &Chart<'_, '_>,
        x: (f64, f64),
        y: (f64, f64),
        xs: &[f64],
    ) -> Result<(), Box<dyn std::error::Error>> {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        let quiet = |h, v| font(12.0).color(&QUIET).pos(Pos::new(h, v));
        for tick in ticks(y) {
            let (_, row) = chart.backend_coord(&(x.0, tick));
            root.draw(&PathElement::new([(LEFT, row), (right, row)], GRID))?;
            let label = (self.show_y)(tick);
            root.draw(&Text::new(
                label,
                (LEFT - 8, row),
                quiet(HPos::Right, VPos::Center),
            ))?;
        }
        let mut sizes = xs.to_vec();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let mut free = i32::MIN;
        for size in sizes {
            let (column, _) = chart.backend_coord(&(size, y.0));
            root.draw(&PathElement::new(
                [(column, bottom), (column, bottom + 5)],
                QUIET,
            ))?;
            // Rungs close to each other would write over each other's labels.
            if column >= free {
                let label = crate::units::count(size);
                free = column + 12 + 7 * label.chars().count() as i32;
                root.draw(&Text::new(
                    label,
                    (column, bottom + 9),
                    quiet(HPos::Center, VPos::Top),
                ))?;
            }
        }
        root.draw(&PathElement::new([(LEFT, bottom), (right, bottom)], QUIET))?;
        let middle = i32::midpoint(LEFT, right);
        root.draw(&Text::new(
            self.x_name.clone(),
            (middle, HEIGHT - 16),
            quiet(HPos::Center, VPos::Top),
        ))?;
        root.draw(&Text::new(
            self.y_name.clone(),
            (12, i32::midpoint(TOP, bottom)),
            quiet(HPos::Center, VPos::Center).transform(FontTransform::Rotate270),
        ))?;
        Ok(())
    }

    /// Names at the ends of the series, moved apart where they would touch.
    fn labels(
        &self,
        root: &Root<'_>,
        chart: &Chart<'_, '_>,
        right: f64,
    ) -> Result<(), Box<dyn std::error::Error>> {
        const LINE: i32 = 15;
        let mut labels: Vec<(i32, &str, RGBColor)> = self
            .series
            .iter()
            .filter(|series| !series.label.is_empty())
            .filter_map(|series| Some((series.points.last()?.y, series)))
            .map(|(y, series)| (y, series.label.as_str(), series.ink.colour()))
            .chain(self.lines.iter().map(|l| (l.y, l.label.as_str(), TARGET)))
            .map(|(y, label, colour)| (chart.backend_coord(&(right, y)).1, label, colour))
            .collect();
        labels.sort_by_key(|(row, _, _)| *row);
        for i in 1..labels.len() {
            labels[i].0 = labels[i].0.max(labels[i - 1].0 + LINE);
        }
        // Those pushed below the axis push the others up again.
        let mut lowest = HEIGHT - BOTTOM;
        for (row, label, colour) in labels.iter_mut().rev() {
            *row = (*row).min(lowest);
            lowest = *row - LINE;
            root.draw(&Text::new(
                (*label).to_owned(),
                (WIDTH - RIGHT + 6, *row),
                font(12.5)
                    .color(colour)
                    .pos(Pos::new(HPos::Left, VPos::Center)),
            ))?;
        }
        Ok(())
    }
}

fn draw_series(
    chart: &mut Chart<'_, '_>,
    series: &Series,
) -> Result<(), Box<dyn std::error::Error>> {
    let colour = series.ink.colour();
    let (width, radius) = series.ink.weight();
    let line: Vec<(f64, f64)> = series.points.iter().map(|p| (p.x, p.y)).collect();
    let ranges = || {
        series
            .points
            .iter()
            .filter_map(|point| Some((point.x, point.range?)))
    };
    match series.style {
        Style::Band => {
            let upper: Vec<_> = ranges().map(|(x, (_, hi))| (x, hi)).collect();
            let outline: Vec<_> = ranges()
                .map(|(x, (lo, _))| (x, lo))
                .chain(upper.iter().rev().copied())
                .collect();
            chart.draw_series([Polygon::new(outline, colour.mix(0.13))])?;
            chart.draw_series([PathElement::new(upper, colour.mix(0.45))])?;
        }
        Style::Bars | Style::Dots => {
            chart.draw_series(ranges().map(|(x, (lo, hi))| {
                PathElement::new([(x, lo), (x, hi)], colour.stroke_width(2))
            }))?;
        }
        Style::Curve => {}
    }
    match series.style {
        Style::Band | Style::Bars => {
            chart.draw_series([PathElement::new(line.clone(), colour.stroke_width(width))])?;
        }
        Style::Curve => {
            chart.draw_series([PathElement::new(line.clone(), colour.mix(0.8))])?;
        }
        Style::Dots => {}
    }
    if series.style != Style::Curve {
        let dot = |at| Circle::new(at, radius, colour.filled());
        chart.draw_series(line.into_iter().map(dot))?;
    }
    Ok(())
}

/// Sizes are CSS pixels; the backend divides by 1.24 on the way.
fn font(size: f64) -> FontDesc<'static> {
    FontDesc::new(FontFamily::SansSerif, size * 1.24, FontStyle::Normal)
}

/// The least and the greatest value, with room, and at least a decade apart.
fn span(values: &[f64], room: f64) -> Option<(f64, f64)> {
    let lo = values.iter().copied().min_by(f64::total_cmp)?;
    let hi = values.iter().copied().max_by(f64::total_cmp)?;
    let short = (10.0 / (hi / lo)).max(1.0).sqrt();
    Some((lo / short / room, hi * short * room))
}

/// Powers of ten within a span; with fewer than three of those, also their doubles and fives.
fn ticks((lo, hi): (f64, f64)) -> Vec<f64> {
    // From attoseconds to exabytes: what lies beyond was not measured, and has no ticks.
    let decade = |value: f64| (value.log10() as i32).clamp(-18, 18);
    let decades = decade(lo) - 1..=decade(hi) + 1;
    let at = |steps: &[f64]| -> Vec<f64> {
        decades
            .clone()
            .flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)))
            .filter(|tick| (lo..=hi).contains(tick))
            .collect()
    };
    let powers = at(&[1.0]);
    if powers.len() >= 3 {
        powers
    } else {
        at(&[1.0, 2.0, 5.0])
    }
}

/// Names the picture for those who do not see it, and lets it shrink with the page.
fn accessible(svg: &str, title: &str) -> String {
    let title = title
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    svg.replacen(
        "<svg ",
        &format!("<svg role=\"img\" aria-label=\"{title}\" "),
        1,
    )
}
