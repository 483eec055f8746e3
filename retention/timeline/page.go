package timeline

import (
	"bytes"
	_ "embed"
	"html/template"

	"github.com/privetdev/privet/retention"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// HTML is one page that needs nothing else: the picture, wide or narrow as there is
// room, and the reasons rule by rule. What [SVG] says of the plan goes for it too. It
// fails only if the page cannot be put together, which is a fault of this package.
func HTML(p *retention.Plan) ([]byte, error) {
	steps := make([]string, len(p.Trail))
	for i := range p.Trail {
		steps[i] = clean(p.Trail[i].String())
		if category := p.Trail[i].Category; p.Category == "" && category != "" {
			steps[i] = clean(category) + ": " + steps[i]
		}
	}
	title, _ := headline(p)
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, map[string]any{
		"Title": title, "Category": subject(p), "Steps": steps,
		// Both are made above, with all texts escaped.
		"Wide": template.HTML(SVG(p, Wide)), "Narrow": template.HTML(SVG(p, Narrow)),
	})
	return b.Bytes(), err
}
