document.querySelectorAll("table.sortable").forEach(function (table) {
  var body = table.tBodies[0];
  var heads = Array.from(table.tHead.rows[0].cells);

  function key(row, column) {
    var cell = row.cells[column];
    var value = cell.hasAttribute("data-value") ? cell.dataset.value : cell.textContent;
    var number = Number(value);
    return value.trim() === "" ? null : Number.isFinite(number) ? number : value;
  }

  function compare(a, b) {
    if (typeof a === "number") {
      return typeof b === "number" ? a - b : -1;
    }
    return typeof b === "number" ? 1 : a.localeCompare(b);
  }

  function sort(column, sign) {
    var rows = Array.from(body.rows, function (row) {
      return { row: row, key: key(row, column) };
    });
    rows.sort(function (a, b) {
      if (a.key === null || b.key === null) {
        return (a.key === null) - (b.key === null);
      }
      return sign * compare(a.key, b.key);
    });
    rows.forEach(function (entry) { body.append(entry.row); });
  }

  function toggle(head, column) {
    var current = head.getAttribute("aria-sort");
    var descending = current ? current === "ascending" : head.classList.contains("number");
    heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    sort(column, descending ? -1 : 1);
  }

  // Browsers do not repeat a table head on the next printed page if it holds a real button.
  heads.forEach(function (head, column) {
    var button = document.createElement("span");
    button.setAttribute("role", "button");
    button.tabIndex = 0;
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", function () { toggle(head, column); });
    button.addEventListener("keydown", function (event) {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        toggle(head, column);
      }
    });
  });
});

// On a narrow screen the pages are one row that is wider than the screen.
function showInRow(link) {
  var row = link.closest("nav");
  row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
}

function markCurrentPage() {
  var target = document.getElementById(location.hash.slice(1));
  var page = target ? target.closest(".page") : null;
  page = page || document.getElementById("start");
  document.querySelectorAll("nav.pages a").forEach(function (link) {
    if (link.hash === "#" + page.id) {
      link.setAttribute("aria-current", "page");
      showInRow(link);
    } else {
      link.removeAttribute("aria-current");
    }
  });
}
window.addEventListener("hashchange", markCurrentPage);
markCurrentPage();
