package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/retention/timeline"
)

func newTimeline(e *env) *cobra.Command {
	var f planFlags
	var format, out string
	width := timeline.Wide
	c := &cobra.Command{
		Use:   "timeline RECORD.json",
		Short: "Draw the plan of one record: phases, floors, ceilings, holds and notices on a time axis",
		Long: `Timeline draws what privet plan says of one record as a picture that needs nothing
else: the answer in words, the axis with the instant of the question, and a lane for
each event, phase, floor, wish, ceiling, notice, hold and kind of copies. It is light
or dark as its reader prefers.

svg is the picture alone; html is a page with the picture, wide or narrow as there is
room, and the reasons rule by rule. No script is needed for either.

` + recordHelp + `

Exit status: 0 drawn, 1 the record is bad, 2 could not start.`,
		Example: `  privet timeline record.json --at 2026-03-02T00:00:00Z -o plan.svg
  privet timeline --policy policy.yaml record.json -o plan.html`,
		Args: oneRecord,
		RunE: func(c *cobra.Command, args []string) error {
			if format == "" {
				format = "svg"
				if extension := strings.ToLower(filepath.Ext(out)); extension == ".html" || extension == ".htm" {
					format = "html"
				}
			}
			if format != "svg" && format != "html" {
				return mended("--format is neither svg nor html", "write --format svg")
			}
			if width < 320 || width > 4000 {
				return mended("--width must be from 320 to 4000 pixels", "leave it out for 960")
			}
			_, _, plan, err := planOne(e, &f, args[0])
			if err != nil {
				return err
			}
			var picture []byte
			if format == "html" {
				if picture, err = timeline.HTML(plan); err != nil {
					return err
				}
			} else {
				picture = timeline.SVG(plan, width)
			}
			return writeWhole(out, picture, e.stdout)
		},
	}
	f.register(c)
	flags := c.Flags()
	flags.StringVar(&format, "format", "", "svg or html (default: as the name of the output ends, else svg)")
	flags.StringVarP(&out, "output", "o", "-", "write the picture to this `file`")
	flags.IntVar(&width, "width", width, "width of the svg in `pixels`; below 640 words stand above the bars")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"svg", "html"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}
